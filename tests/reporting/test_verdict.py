"""Sentences about a search, from what is known of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, randint, uniform

from skpg import Ordinal
from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.reporting.advice import advice_of
from skpg.reporting.facts import Facts
from skpg.reporting.sureness import sureness_sentences, surenesses
from skpg.reporting.verdict import (
    headline,
    present_finding,
    racing_finding,
    score_finding,
    standard_error,
    stop_finding,
    verdict_of,
)
from tests.reporting.records import facts_of_numbers, policy_of, record_of

UNIT = uniform(0, 1)
# twenty candidates in the middle of [0, 1]; the fifth is the best
MIDDLE = np.linspace(0.4, 0.6, 20).tolist()
RISING = np.linspace(0.5, 0.7, 20)


def facts(**fields):
    return facts_of_numbers(MIDDLE, RISING, UNIT, fold_spread=0.001, **fields)


def said(given, words):
    """The pieces of advice with some words in them."""
    return [text for text in advice_of(given) if words in text]


# -- what was found --------------------------------------------------------------------


def test_the_headline_has_the_metric_the_score_and_the_number_of_candidates():
    assert headline(facts()) == "Score 0.7000, the best of 20 candidates"
    named = facts()
    named = replace(named, record=replace(named.record, metric="roc_auc"))
    assert headline(named) == "roc_auc 0.7000, the best of 20 candidates"
    assert headline(facts_of_numbers([0.5], [1.0], UNIT)) == "Score 1.0000, the best of 1 candidate"


def test_without_a_score_the_headline_says_so():
    given = facts_of_numbers([0.1, 0.2], [np.nan, np.nan], UNIT)
    assert headline(given) == "None of 2 candidates has a score on every fold"
    verdict = verdict_of(given)
    assert verdict.findings == (
        ("Score", "2 of 2 candidates failed. All fits and scores together took 4 s."),
    )


def test_the_score_is_told_with_its_folds():
    given = facts_of_numbers([0.1, 0.2], [0.5, 0.7], UNIT, fold_spread=0.1)
    assert score_finding(given) == (
        "The best candidate scored 0.7000, the mean of 4 folds. Its folds lie between 0.6000 and "
        "0.8000, standard deviation 0.1000. All fits and scores together took 4 s."
    )
    record = record_of({"a": UNIT}, [{"a": 0.5}], [0.5], n_folds=1)
    assert "0.5000, the only fold. All" in score_finding(Facts(record))


def test_the_best_is_compared_with_the_estimator_as_it_is_on_the_same_folds():
    folds = np.array([[0.5, 0.5, 0.5, 0.5], [0.9, 0.6, 0.6, 0.4]])
    record = record_of({"a": UNIT}, [{"a": 0.1}, {"a": 0.2}], [0.5, 0.6], fold_spread=0)
    given = Facts(replace(record, fold_scores=folds), present=0, present_text="a=0.1")
    assert present_finding(given) == (
        "The estimator as it is (a=0.1) scored 0.5000. The best candidate gains 0.1250; it is "
        "better on 3 of 4 folds and worse on 1. That is less than twice the standard error of the "
        "gain (0.1575), so it may be chance."
    )
    sure = replace(record, fold_scores=np.array([[0.5] * 4, [0.6] * 4]))
    assert "chance" not in present_finding(Facts(sure, present=0, present_text="a=0.1"))
    assert "is the best candidate" in present_finding(replace(given, present=1))
    assert present_finding(replace(given, present=None)) == ""
    lost = replace(record, statuses=np.array(["failed", "complete"]))
    assert present_finding(Facts(lost, present=0)).endswith("has no score: it failed.")


def test_the_standard_error_is_that_of_nadeau_and_bengio():
    gains = np.array([0.1, 0.3, 0.2, 0.0])
    # the share of test samples to training samples of k folds is 1 / (k - 1)
    expected = np.sqrt((1 / 4 + 1 / 3) * gains.var(ddof=1))
    assert standard_error(gains) == pytest.approx(expected)
    assert standard_error(gains[:1]) == 0.0


def test_what_racing_saved_is_counted_in_fits():
    given = facts()
    assert racing_finding(given) == ""
    statuses = np.where(np.arange(20) < 10, "raced", "complete")
    n_fits = np.where(statuses == "raced", 1, 4)
    raced = replace(given.record, statuses=statuses, n_fits=n_fits)
    assert racing_finding(Facts(raced)) == (
        "30 of 80 fits (38 %) were left out, of the 10 candidates that could no longer become the "
        "best."
    )


def test_why_it_stopped_and_when_the_best_one_came():
    assert stop_finding(facts(stop_reason="n_iter")) == (
        "It stopped because all candidates were evaluated. The best candidate was number 20; no "
        "candidate came after it."
    )
    early = facts_of_numbers(MIDDLE, RISING[::-1], UNIT)
    assert stop_finding(early) == "The best candidate was number 1; 19 came after it."


# -- how sure the policy is ------------------------------------------------------------


SPACE = {"x": UNIT, "n": randint(1, 101), "k": ["a", "b", "c"], "one": ["only"]}


def test_the_prior_is_undecided_about_all_that_has_several_values():
    prior = policy_of(SPACE, GaussianActor(), GaussianActor(), CategoricalActor(np.zeros(3)),
                      CategoricalActor(np.zeros(1)))  # fmt: skip
    assert sureness_sentences(prior) == ["It is undecided about x, n, k."]
    assert [s.open_share for s in surenesses(prior)] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    ("log_sigma", "words"),
    [(-3.0, "It is sure of"), (-1.0, "It has narrowed"), (-0.4, "It leans to"),
     (0.1, "It is undecided about")],
)  # fmt: skip
def test_a_narrow_distribution_is_one_that_the_policy_is_sure_of(log_sigma, words):
    (found,) = surenesses(policy_of({"x": UNIT}, GaussianActor(0.0, log_sigma)))
    assert found.words == words
    # its standard deviation, since that of the prior is 1
    assert found.open_share == pytest.approx(np.exp(log_sigma))


def test_of_a_list_the_share_is_that_of_equally_likely_choices():
    def share(*p):
        return surenesses(policy_of({"k": list("abcd")}, CategoricalActor(np.log(p))))[0]

    assert share(0.25, 0.25, 0.25, 0.25).open_share == pytest.approx(1.0)
    assert share(0.5, 0.5, 1e-12, 1e-12).open_share == pytest.approx(1 / 3)
    assert share(0.999, 4e-4, 3e-4, 3e-4).words == "It is sure of"
    assert share(0.2, 0.6, 0.1, 0.1).values == "'b', 60 %"


def test_a_sentence_names_the_values():
    policy = policy_of(SPACE, GaussianActor(0.0, -3.0), GaussianActor(9.0, -9.0),
                       CategoricalActor(np.log([0.9, 0.05, 0.05])),
                       CategoricalActor(np.zeros(1)))  # fmt: skip
    assert sureness_sentences(policy) == [
        "It is sure of x (0.4746 to 0.5254), n (100).",
        "It has narrowed k ('a', 90 %).",
    ]


def test_of_several_dicts_the_policy_is_told_of_the_most_probable():
    space = [{"m": ["p"], "x": UNIT}, {"m": ["q"], "y": UNIT, "k": ["a", "b"]}]
    actors = [CategoricalActor(np.log([0.1, 0.9])), CategoricalActor(np.zeros(1))]
    actors += [GaussianActor(), CategoricalActor(np.zeros(1)), GaussianActor(0.0, -4.0)]
    policy = policy_of(space, *actors, CategoricalActor(np.zeros(2)))
    sentences = sureness_sentences(policy)
    assert sentences == [
        "It is sure of y (0.4906 to 0.5094).",
        "It has narrowed the dict of the list (m='q', 90 %).",
        "It is undecided about k.",
    ]


# -- what to do next -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "values", "sentence"),
    [
        (
            uniform(0, 10),
            np.linspace(8, 9.99, 20),
            "The best a (9.99) lies at the upper end of its range, 0.0 to 10.0, where 5 of the 5 "
            "best are: widen it if larger values are allowed.",
        ),
        (
            uniform(0, 10),
            np.linspace(2, 0.01, 20),
            "The best a (0.01) lies at the lower end of its range, 0.0 to 10.0, where 5 of the 5 "
            "best are: widen it if smaller values are allowed.",
        ),
        (randint(1, 4), [1, 2] * 4 + [3] * 12, "upper end of its range, 1 to 3, where 5 of"),
        (norm(0, 1), np.linspace(1.5, 3, 20), "lies in the upper tail of its distribution"),
        (
            [1, 10, 100],
            [1] * 10 + [100] * 10,
            "The best a (100) is the largest of its list, where 5 of the 5 best are: add larger "
            "ones if there are any.",
        ),
        ([1, 10, 100], [100] * 10 + [1] * 10, "(1) is the smallest of its list"),
        (Ordinal(["s", "m", "l"]), ["s"] * 10 + ["l"] * 10, "('l') is the last of its list"),
    ],
)
def test_a_best_value_at_the_end_of_its_range_is_told(space, values, sentence):
    values = [v.item() if isinstance(v, np.generic) else v for v in values]
    found = said(facts_of_numbers(values, RISING, space), "The best a (")
    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("space", "values"),
    [
        (UNIT, MIDDLE),
        # the best one alone is at the end
        (UNIT, [*MIDDLE[:-1], 0.99]),
        # at both ends
        (UNIT, [0.01, 0.99] * 5 + [0.01, 0.5] * 5),
        (["a", "b", "c"], ["a"] * 10 + ["c"] * 10),
        ([1, 10], [1] * 10 + [10] * 10),
        ([1, 10, 100], [1] * 10 + [10] * 10),
        ([3], [3] * 20),
    ],
)
def test_other_best_values_are_not(space, values):
    assert said(facts_of_numbers(values, RISING, space), "The best a (") == []


def test_nothing_is_said_about_ranges_that_the_candidates_span():
    values = np.linspace(0.8, 0.99, 20).tolist()
    given = facts_of_numbers(values, RISING, UNIT)
    assert said(given, "widen") != []
    assert said(replace(given, knows_space=False), "widen") == []


def test_a_search_that_won_nothing_for_long_should_stop():
    scores = np.r_[0.5, 0.6, 0.9, np.linspace(0.4, 0.8, 40)]
    values = np.linspace(0.4, 0.6, 43).tolist()
    assert said(facts_of_numbers(values, scores, UNIT), "stop here")[0].startswith(
        "The last 40 candidates won nothing: stop here."
    )
    scores[-1] = 0.90001
    assert said(facts_of_numbers(values, scores, UNIT), "stop here")[0].startswith(
        "The last 40 candidates won next to nothing (1e-05): stop here."
    )
    scores[-1] = 0.99
    given = facts_of_numbers(values, scores, UNIT)
    assert said(given, "stop here") == []
    assert said(given, "still rose at candidate 43 of 43") != []
    assert said(replace(given, stop_reason="exhausted"), "still rose") == []


def test_a_short_search_is_not_judged():
    assert said(facts_of_numbers([0.4, 0.5, 0.6], [0.9, 0.5, 0.5], UNIT), "stop") == []


def test_differences_below_the_spread_of_the_folds_are_chance():
    apart = facts_of_numbers(MIDDLE, RISING, UNIT, fold_spread=0.01)
    near = facts_of_numbers(MIDDLE, RISING, UNIT, fold_spread=0.2)
    assert said(apart, "Differences between the best 10") == []
    assert (
        said(near, "Differences between the best 10 (0.0947) are smaller than the spread of") != []
    )
    equal = facts_of_numbers(MIDDLE, [0.5] * 20, UNIT, fold_spread=0.2)
    assert said(equal, "The best 10 have the same score") != []
    few = facts_of_numbers(MIDDLE[:9], RISING[:9], UNIT, fold_spread=0.2)
    assert said(few, "best 10") == []


def test_many_failures_are_told_with_the_choice_that_they_have_in_common():
    params = [{"k": "a", "x": v} for v in MIDDLE] + [{"k": "b", "x": v} for v in MIDDLE[:5]]
    space = {"k": ["a", "b"], "x": UNIT}
    record = record_of(space, params, [*RISING, *[np.nan] * 5])
    (text,) = said(Facts(record), "failed")
    assert "5 of 25 candidates failed, nearly all of them with k=b" in text
    mixed = record_of(space, params, [*[np.nan] * 3, *RISING, *[np.nan] * 2])
    (text,) = said(Facts(mixed), "failed")
    assert "k=" not in text
    one = record_of(space, params, [np.nan, *np.linspace(0.5, 0.7, 24)])
    assert said(Facts(one), "failed") == []


def test_a_search_that_was_cut_short_can_go_on():
    given = facts(stop_reason="timeout", n_iter=50)
    assert said(given, "It ended after 20 of 50 candidates") != []
    assert said(facts(stop_reason="n_iter", n_iter=20), "It ended") == []


def test_the_best_of_many_is_a_little_too_good():
    assert said(facts(), "The score is the best of 20 on the same folds") != []
    assert advice_of(facts_of_numbers([0.5], [0.5], UNIT)) == []
