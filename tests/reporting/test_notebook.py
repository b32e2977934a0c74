"""What a notebook shows of a search."""

from html.parser import HTMLParser

import pytest
import sklearn
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from skpg import PolicyGradientSearchCV
from skpg.reporting.curve import MOST_DOTS, convergence_svg
from skpg.reporting.notebook import summary_html
from tests.display.searches import KINDS, X, fitted, results_of, search, y
from tests.estimators import Scripted
from tests.reporting.records import record_of

HOSTILE = "</table><script>alert('x')</script>&amp;"


class Tags(HTMLParser):
    """The tags and the text of a page; fails where elements are not closed in order."""

    VOID = frozenset({"meta", "input", "br", "img", "link"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._open = [], "", []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] not in (["style"], ["script"]):
            self.text += data


def test_a_fitted_search_shows_the_verdict_and_a_curve_above_the_diagram_of_scikit_learn():
    shown = fitted("usual")._repr_html_()
    summary = summary_html(fitted("usual"))
    assert shown.startswith(summary)
    assert "sk-top-container" in shown[len(summary) :]
    text = Tags(summary).text
    assert f"score {fitted('usual').best_score_:.4f}, the best of 30 candidates" in text.lower()
    assert "It stopped because all candidates were evaluated." in text
    assert "What to do next" in text


def test_both_ways_of_notebooks_show_the_same():
    bundle = fitted("usual")._repr_mimebundle_()
    assert bundle["text/plain"] == repr(fitted("usual"))
    for shown in (bundle["text/html"], fitted("usual")._repr_html_()):
        assert shown.count("skpg-curve") == 1


def test_a_search_that_is_not_fitted_shows_what_scikit_learn_does():
    for shown in (search()._repr_html_(), search()._repr_mimebundle_()["text/html"]):
        assert "skpg-summary" not in shown
        assert "sk-top-container" in shown
    assert "skpg-summary" not in clone(fitted("usual"))._repr_html_()
    assert "skpg-summary" not in estimator_html_repr(fitted("usual"))


def test_without_diagrams_there_is_no_html():
    with sklearn.config_context(display="text"):
        assert not hasattr(fitted("usual"), "_repr_html_")
        assert list(fitted("usual")._repr_mimebundle_()) == ["text/plain"]


def test_within_another_estimator_it_is_a_part_of_the_diagram():
    pipeline = make_pipeline(StandardScaler(), search(n_iter=2)).fit(X, y)
    assert "skpg-summary" not in pipeline._repr_html_()


def test_a_fit_that_failed_leaves_no_summary():
    broken = search(n_iter=2)
    with pytest.raises(ValueError, match="fits failed"):
        broken.set_params(estimator__cliff=-1.0).fit(X, y)
    assert "skpg-summary" not in broken._repr_html_()


def test_a_search_whose_space_was_changed_after_fit_is_still_shown():
    changed = search(n_iter=3).fit(X, y).set_params(param_distributions={"a": uniform(5, 6)})
    assert "sk-top-container" in changed._repr_html_()
    assert "skpg-summary" not in changed._repr_html_()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_any_search_has_a_summary(kind):
    assert Tags(summary_html(fitted(kind))).text


def test_stored_results_have_a_summary():
    assert "the best of 40 candidates" in Tags(summary_html(results_of(40))).text


def test_values_appear_as_text():
    space = {"a": uniform(0, 1), "extra": [HOSTILE, HOSTILE + "2"]}
    hostile = PolicyGradientSearchCV(Scripted(), space, n_iter=3, cv=2).fit(X, y > 9)
    found = Tags(summary_html(hostile))
    assert "</table><script>alert('x')</script>" in found.text.replace("\\'", "'")
    assert "script" not in [tag for tag, _ in found.tags]


# -- the curve -------------------------------------------------------------------------


def svg_of(scores):
    record = record_of({"a": uniform(0, 1)}, [{"a": 0.5}] * len(scores), scores)
    return convergence_svg(record)


def test_the_curve_has_a_dot_for_each_score_and_a_step_for_each_gain():
    tags = Tags(svg_of([0.1, float("nan"), 0.3, 0.2, 0.5])).tags
    dots = [attributes for tag, attributes in tags if tag == "circle"]
    (path,) = (attributes["d"] for tag, attributes in tags if tag == "path")
    assert len(dots) == 4
    assert path.count("V") == 2
    heights = [float(dot["cy"]) for dot in dots]
    assert heights[0] > heights[2] > heights[1] > heights[3]


def test_the_curve_has_the_colour_of_the_text():
    svg = svg_of([0.1, 0.2])
    assert "currentColor" in svg
    assert "#" not in svg


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5], [1e300, 1.0], [float("nan"), 1e-12]])
def test_the_curve_of_any_scores_has_finite_places(scores):
    svg = svg_of(scores)
    assert "nan" not in svg
    assert "inf" not in svg
    Tags(svg)


def test_there_is_no_curve_without_a_score():
    assert svg_of([float("nan")]) == ""


def test_the_curve_of_a_long_search_is_small():
    assert len(svg_of([0.1 + 1e-4 * (i % 97) for i in range(5000)])) < 80 * MOST_DOTS


def test_a_score_far_below_the_others_does_not_flatten_the_curve():
    tags = Tags(svg_of([-1e9, *[0.1 * i for i in range(10)]])).tags
    heights = [float(attributes["cy"]) for tag, attributes in tags if tag == "circle"]
    assert len(set(heights)) > 8
