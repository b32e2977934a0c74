"""What displays take from a critic: slices, pairs and importance."""

import numpy as np
import pytest

from skpg.display import ImportanceDisplay, PairsDisplay, SlicesDisplay
from skpg.display.score_critic import MOST_CANDIDATES, ScoreCritic, chosen_rows
from skpg.display.sobol import effects_of
from skpg.display.sources import record_of
from tests.display.searches import SPACE, fitted, results_of

A, M, KIND = (list(SPACE).index(name) for name in ("a", "m", "kind"))


def hill(params):
    return (
        1
        - (params["a"] - 0.7) ** 2
        - 0.1 * np.log10(params["m"]) ** 2
        - 0.2 * (params["kind"] != "b")
    )


def test_the_critic_predicts_in_the_units_of_the_scores():
    record = record_of(results_of(200), param_distributions=SPACE)
    others = record_of(results_of(50, seed=1), param_distributions=SPACE)
    critic = ScoreCritic.of(record)
    median, low, high = critic.expected(others.actions)
    assert np.abs(median - others.scores).mean() < 0.03
    assert ((low <= median) & (median <= high)).all()


def test_tempered_scores_and_scores_are_told_apart_and_back():
    critic = ScoreCritic.of(record_of(results_of(100), param_distributions=SPACE))
    np.testing.assert_allclose(critic.to_scores(critic.tempered), critic.scores)
    beyond = critic.to_scores(np.array([-99.0, 99.0]))
    assert beyond[0] < critic.scores[0] < critic.scores[-1] < beyond[1]


def test_a_critic_of_equal_scores_expects_this_score():
    results = results_of(20)
    for name in [name for name in results if name.endswith("test_score")]:
        results[name] = np.full(20, 0.5)
    record = record_of(results, param_distributions=SPACE)
    np.testing.assert_allclose(ScoreCritic.of(record).expected(record.actions), 0.5)


def test_of_many_candidates_a_critic_sees_the_best_and_others_all_over_the_space():
    record = record_of(results_of(2000), param_distributions=SPACE)
    rows = chosen_rows(record)
    assert len(np.unique(rows)) == MOST_CANDIDATES
    assert record.best in rows
    some = np.random.default_rng(0).choice(2000, MOST_CANDIDATES, replace=False)
    median, _, _ = ScoreCritic.of(record, rows).expected(record.actions)
    assert np.abs(median - record.scores).mean() < 0.03
    ends = record.resolved[rows, A]
    assert ends.min() <= record.resolved[some, A].min()


def test_a_slice_is_what_the_score_would_be_with_another_value():
    record = record_of(results_of(250), param_distributions=SPACE)
    best, shown = record.params[record.best], SlicesDisplay.from_search(record)
    for column, name in ((A, "a"), (M, "m")):
        part = shown.slices[column]
        truth = np.array([hill(best | {name: v}) for v in part.positions])
        truth += record.scores[record.best] - hill(best)
        assert np.abs(part.median - truth).mean() < 0.03
    kinds = shown.slices[KIND]
    assert kinds.positions.tolist() == [0, 1, 2]
    np.testing.assert_allclose(kinds.median[1] - kinds.median[[0, 2]], 0.2, atol=0.05)


def test_slices_mark_the_ends_of_the_range_and_share_the_score():
    shown = SlicesDisplay.from_search(fitted("usual")).plot()
    lines = [line for line in shown.axes_[A].lines if line.get_label() == "end of the range"]
    assert [line.get_xdata()[0] for line in lines] == [0.0, 1.0]
    assert len({ax.get_ylim() for ax in shown.axes_}) == 1


def test_slices_of_branches_show_only_the_candidates_that_have_the_hyperparameter():
    found = fitted("branches")
    shown = SlicesDisplay.from_search(found)
    for scale in shown.scales[1:]:
        has = np.array([scale.name in params for params in found.cv_results_["params"]])
        np.testing.assert_array_equal(np.isfinite(shown.positions[scale.column]), has)
    assert {scale.name for scale in shown.scales[1:]} == {"a", "k", "m"}


def test_without_five_scores_there_are_dots_and_no_slices():
    shown = SlicesDisplay.from_search(fitted("one candidate")).plot()
    assert shown.slices == {}
    labels = {c.get_label() for c in shown.axes_[0].collections}
    assert labels == {"candidate", "best"}


def test_a_surface_is_what_the_score_would_be_with_two_other_values():
    record = record_of(results_of(250), param_distributions=SPACE)
    best, shown = record.params[record.best], PairsDisplay.from_search(record, params=["a", "m"])
    x, height = shown.grids
    truth = np.array([[hill(best | {"a": a, "m": m}) for a in x] for m in height])
    truth += record.scores[record.best] - hill(best)
    assert shown.surfaces[0, 1].shape == truth.shape
    assert np.abs(shown.surfaces[0, 1] - truth).mean() < 0.05


def test_pairs_show_the_four_most_important_hyperparameters():
    shown = PairsDisplay.from_search(fitted("500 candidates"))
    names = [scale.name for scale in shown.scales]
    assert len(names) == 4
    assert {"a", "m", "kind"} <= set(names)
    assert len(shown.plot().axes_) == 6


def test_pairs_of_branches_are_those_that_a_candidate_has_together():
    shown = PairsDisplay.from_search(fitted("branches"))
    names = {frozenset(shown.scales[k].name for k in pair) for pair in shown.pairs}
    assert names == {frozenset({"a", "k"}), frozenset({"a", "m"})}


def test_effects_of_a_known_function_are_found():
    """The function of Ishigami, whose indices are known in closed form."""

    def ishigami(u):
        x = np.pi * (2 * u - 1)
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    main, total = effects_of(ishigami, 3)
    np.testing.assert_allclose(main, [0.314, 0.442, 0.0], atol=0.04)
    np.testing.assert_allclose(total, [0.558, 0.442, 0.244], atol=0.04)


def test_importance_is_the_share_of_the_variance_over_the_users_distributions():
    record = record_of(results_of(250), param_distributions=SPACE)
    shown = ImportanceDisplay.from_search(record, n_refits=10)
    # of (a-.7)^2, .1 log10(m)^2 and .2 [kind != 'b'] over their distributions
    variances = {"a": 0.0189, "m": 0.01 * 7.2, "kind": 0.04 * 2 / 9}
    total = sum(variances.values())
    for name, variance in variances.items():
        k = shown.names.index(name)
        assert shown.total[k] == pytest.approx(variance / total, abs=0.12)
        low, high = shown.total_interval[:, k]
        assert low <= high
    assert shown.names[0] == "m"
    others = [shown.total[shown.names.index(name)] for name in ("k", "other")]
    assert max(others) < 0.05


def test_bars_of_importance_are_labelled_and_sorted():
    shown = ImportanceDisplay.from_search(fitted("usual"), n_refits=2).plot()
    assert [text.get_text() for text in shown.ax_.get_yticklabels()] == shown.names
    assert (np.diff(shown.total) <= 0).all()
    widths = [bar.get_width() for bar in shown.ax_.containers[1]]
    np.testing.assert_allclose(widths, shown.total)


def test_importance_without_refits_has_no_interval():
    shown = ImportanceDisplay.from_search(fitted("usual"), n_refits=0)
    np.testing.assert_array_equal(shown.total_interval, [shown.total, shown.total])


def test_importance_of_equal_scores_is_zero():
    results = results_of(20)
    for name in [name for name in results if name.endswith("test_score")]:
        results[name] = np.full(20, 0.5)
    shown = ImportanceDisplay.from_search(results, param_distributions=SPACE, n_refits=2)
    assert not shown.total.any()


def test_a_switch_of_branches_is_a_hyperparameter_too():
    shown = ImportanceDisplay.from_search(fitted("branches"), n_refits=2)
    titles = [scale.title for scale in shown.scales]
    assert sorted(titles) == ["a", "branch", "k", "m"]
