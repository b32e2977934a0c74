"""Distributions and numbers are printed as they are written."""

import re

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skpg import Policy, Space, logrange
from skpg.space.wording import describe, in_one_line, written

LOG = stats.loguniform(1e-3, 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (LOG, "loguniform(0.001, 1000)"),
        (stats.loguniform(np.float64(1e-3), np.int64(1000)), "loguniform(0.001, 1000)"),
        (stats.uniform(loc=np.float32(0.5), scale=2), "uniform(loc=0.5, scale=2)"),
        (stats.randint(1, 31), "randint(1, 31)"),
        (logrange(1, 9), "logrange(1, 9)"),
        ([LOG, None], "[loguniform(0.001, 1000), None]"),
        ((LOG,), "(loguniform(0.001, 1000),)"),
        ((), "()"),
        ({"a": {"b": (LOG, "x")}}, "{'a': {'b': (loguniform(0.001, 1000), 'x')}}"),
        ([np.float64(0.1), np.int64(3), np.str_("a"), np.True_], "[0.1, 3, 'a', True]"),
        (SVC(C=2), "SVC(C=2)"),
        (np.array([1.0, 2.0]), "array([1., 2.])"),
    ],
)
def test_a_value_is_written_as_in_the_source(value, text):
    assert written(value) == text
    assert written([value]) == f"[{text}]"


def test_a_distribution_of_ones_own_is_named():
    class Mine:
        def rvs(self, random_state=None):
            return 1.0

    assert describe(Mine()) == "Mine()"


def test_one_line_has_no_more_than_the_wanted_characters():
    model = LogisticRegression(C=0.123456, l1_ratio=0.25, max_iter=1234, random_state=12, tol=0.01)
    assert "\n" in repr(model)
    line = in_one_line(model, 60)
    assert len(line) == 60
    assert line.startswith("LogisticRegression(C=0.123456, l1_ratio=0.25, max_iter=12")
    assert line.endswith("...")
    assert in_one_line("short", 7) == "'short'"


@pytest.mark.parametrize(
    "space",
    [LOG, [("C", LOG)], {"C": {"inner": LOG}}, [{"C": LOG}, LOG]],
    ids=["no dict", "pairs", "nested", "no dict in a list"],
)
def test_messages_about_a_wrong_space_show_the_distribution(space):
    with pytest.raises(TypeError, match=re.escape("loguniform(0.001, 1000)")) as caught:
        Space(space)
    assert "object at 0x" not in str(caught.value)


def test_the_policy_and_messages_about_candidates_show_distributions_among_the_choices():
    space = Space({"prior": [LOG, stats.uniform(0, 1), None]})
    assert "loguniform(0.001, 1000) 33 %, uniform(0, 1) 33 %" in repr(Policy.prior(space))
    with pytest.raises(ValueError, match="loguniform") as caught:
        space.identify({"prior": stats.uniform(0, 2)})
    assert str(caught.value) == (
        "{'prior': uniform(0, 2)} is not in the space. prior=uniform(0, 2) is not among the "
        "choices [loguniform(0.001, 1000), uniform(0, 1), None]."
    )


def test_a_percent_sign_of_a_choice_stays_where_it_is():
    assert "'5%' 50 %, 'a' 50 %" in repr(Policy.prior(Space({"share": ["5%", "a"]})))


def test_a_row_of_the_policy_is_one_line_however_long_a_choice_is():
    long = LogisticRegression(C=0.123456, l1_ratio=0.25, max_iter=1234, random_state=12, tol=0.01)
    assert len(repr(Policy.prior(Space({"model": [long, SVC()]}))).splitlines()) == 2
