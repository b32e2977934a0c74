"""The page of a report: its structure, its size, and what it is written of."""

import json
import re
import shutil
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

import skpg
from skpg import PolicyGradientSearchCV
from skpg.reporting.facts import facts_of
from skpg.reporting.figures import figures_of
from skpg.reporting.page import page as written_page
from skpg.reporting.tables import FIRST_ROWS, candidate_columns, candidate_rows
from skpg.reporting.verdict import Verdict
from tests.display.searches import KINDS, SPACE, Hill, X, fitted, results_of, search, y
from tests.estimators import Scripted
from tests.reporting.test_notebook import HOSTILE, Tags

pytest.importorskip("matplotlib")


def written(study, folder, **settings):
    """The text of the report on a search."""
    return skpg.report(study, folder / "report.html", **settings).read_text(encoding="utf-8")


@cache
def page_of(kind):
    """The report on a search of a kind, written once."""
    with TemporaryDirectory() as folder:
        return written(fitted(kind), Path(folder))


def data_of(html):
    """What the table of candidates is made of."""
    return json.loads(re.search(r'id="candidates-data">(.*?)</script>', html, re.DOTALL)[1])


def titles(html):
    return re.findall(r"<h3 [^>]*>(.*?)</h3>", html)


# Those whose figures take long are looked at in one test each.
QUICK = sorted(set(KINDS) - {"fourteen", "500 candidates"})


@pytest.mark.parametrize("kind", QUICK)
def test_any_search_has_a_report(kind):
    html = page_of(kind)
    page = Tags(html)
    results = fitted(kind).cv_results_
    assert len(data_of(html)["rows"]) == len(results["params"])
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
    assert headings == ["h1"] + 6 * ["h2"] or headings == ["h1"] + 5 * ["h2"]
    for title in ("Verdict", "The winner in code", "Figures", "Hyperparameters", "Candidates"):
        assert title in page.text
    assert "Convergence" in titles(html)


def test_the_figures_are_those_that_a_search_has():
    usual = [
        "Convergence",
        "What the policy learned",
        "Importance",
        "Score against each hyperparameter",
        "Pairs",
        "Parallel coordinates",
        "Timeline",
    ]
    assert titles(page_of("usual")) == usual
    raced = [*usual[:-1], "Racing", "Timeline"]
    assert titles(page_of("raced")) == raced
    assert titles(page_of("random")) == [*usual[:1], *usual[2:-1]]
    one = ["Convergence", "What the policy learned", "Timeline"]
    assert titles(page_of("one candidate")) == one


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fourteen", "500 candidates"])
def test_a_large_report_has_less_than_three_megabytes(kind):
    html = page_of(kind)
    assert len(html.encode()) < 3e6
    Tags(html)


@pytest.mark.slow
def test_a_report_on_five_thousand_candidates_is_one_page_as_well(tmp_path):
    html = written(results_of(5000), tmp_path, param_distributions=SPACE)
    assert len(data_of(html)["rows"]) == 5000
    assert len(html.encode()) < 4e6


def test_the_page_needs_nothing_but_itself():
    html = page_of("usual")
    tags = Tags(html).tags
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            value = attributes.get(name, "#")
            assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value[:80])
    assert re.findall(r"url\((?!#)[^)]*\)|@import", html) == []
    policy = [a for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0]["content"].startswith("default-src 'none'")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_a_browser_fills_the_table_and_has_nothing_to_complain_of(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page_of("usual"), encoding="utf-8")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    arguments += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    ran = subprocess.run(["chromium", *arguments], capture_output=True, text=True, timeout=120)
    assert ">30 of 30</output>" in ran.stdout
    assert '<p class="tools">' in ran.stdout  # shown by the script
    assert "CONSOLE" not in ran.stderr


def test_no_two_elements_have_the_same_name():
    names = [a["id"] for _, a in Tags(page_of("raced")).tags if "id" in a]
    assert len(names) == len(set(names))


def test_references_within_figures_lead_somewhere():
    html = page_of("raced")
    names = {a["id"] for _, a in Tags(html).tags if "id" in a}
    used = set(re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', html))
    assert used
    assert {a or b for a, b in used} <= names


def test_figures_have_the_colour_of_the_text_and_no_background():
    (convergence, *_) = figures_of(facts_of(fitted("ten candidates")))
    assert "currentColor" in convergence.svg
    assert "#000000" not in convergence.svg
    assert "fill: #ffffff" not in convergence.svg
    assert convergence.svg.count("<text") > 5


def test_matplotlib_is_as_before():
    import matplotlib
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    figures_of(facts_of(fitted("ten candidates")))
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []


def test_hostile_names_and_values_appear_as_text(tmp_path):
    values = [HOSTILE, "<img src=x onerror=alert(1)>", "]]>", "' onclick='x", "\u2028</script>"]
    space = {"a": uniform(0, 1), "extra": values}
    hostile = PolicyGradientSearchCV(Scripted(), space, n_iter=12, cv=2, random_state=0)
    html = written(hostile.fit(X, y > 9), tmp_path)
    page = Tags(html)
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, a in page.tags for name in a)
    assert all(text in page.text for text in ("<img src=x onerror=alert(1)>", "]]>"))
    extra = candidate_columns(facts_of(hostile)).index("extra")
    assert {row[extra] for row in data_of(html)["rows"]} == {repr(value) for value in values}


def test_sentences_are_text_whatever_they_tell_of():
    verdict = Verdict(HOSTILE, ((HOSTILE, HOSTILE),), (HOSTILE,))
    page = Tags(written_page(facts_of(fitted("usual")), verdict, []))
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.text.count(HOSTILE) == 5  # the title as well


def test_hostile_names_of_hyperparameters_and_metrics_appear_as_text(tmp_path):
    name = "</table><script>x</script>"
    results = results_of(12, {"a": uniform(0, 1)})
    results["params"] = [{name: params["a"]} for params in results["params"]]
    for key in list(results):
        if key.endswith("_test_score"):
            results[key.replace("score", name)] = results.pop(key)
    page = Tags(written(results, tmp_path))
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.text.count(name) > 5


def test_the_table_has_all_candidates_the_best_first():
    facts = facts_of(fitted("raced"))
    columns, rows = candidate_columns(facts), candidate_rows(facts)
    assert columns[:4] == ["candidate", "score", "std", "status"]
    results = fitted("raced").cv_results_
    assert sorted(int(row[0]) for row in rows) == list(range(1, 31))
    assert int(rows[0][0]) == fitted("raced").best_index_ + 1
    complete = [row for row in rows if row[3] == "complete"]
    assert rows[: len(complete)] == complete
    for row in rows:
        i = int(row[0]) - 1
        mean, std = results["mean_test_score"][i], results["std_test_score"][i]
        assert row[1:3] == (["", ""] if np.isnan(mean) else [f"{mean:.4f}", f"{std:.4f}"])
        assert row[columns.index("kind")] == repr(results["params"][i]["kind"])
        assert row[-1] == str(results["iter"][i])


def test_the_page_itself_has_the_first_rows_of_the_table(tmp_path):
    results = results_of(FIRST_ROWS + 30)
    html = written(results, tmp_path, param_distributions=SPACE)
    table = re.search(r'<table id="candidates-table">.*?</table>', html, re.DOTALL)[0]
    assert table.count("<tr>") == FIRST_ROWS + 1
    assert table.count("<th ") == len(candidate_columns(facts_of(results)))


def test_a_candidate_of_another_dict_has_empty_cells():
    facts = facts_of(fitted("branches"))
    columns = candidate_columns(facts)
    for row in candidate_rows(facts):
        cells = dict(zip(columns, row, strict=True))
        assert (cells["m"] == "") is (cells["kind"] == "'a'")
        assert (cells["k"] == "") is (cells["kind"] == "'b'")


def test_several_metrics_have_a_column_each_and_one_is_reported_on(tmp_path):
    html = page_of("several metrics")
    assert "<h1>up " in html
    assert "mean down" in html
    other = written(fitted("several metrics"), tmp_path, metric="down")
    assert "<h1>down " in other
    with pytest.raises(ValueError, match="metric must be one of"):
        written(fitted("several metrics"), tmp_path, metric="sideways")


def test_the_estimator_as_it_is_is_found_among_the_candidates():
    present = search(estimator=Hill(a=0.3, m=0.1 + 0.2, kind="c"), n_iter=5)
    given = present.set_params(initial_params=[present.fit(X, y).best_params_]).fit(X, y)
    facts = facts_of(given)
    assert facts.record.params[facts.present]["m"] == 0.1 + 0.2
    assert facts.present_text == "a=0.3, m=0.30000000000000004, k=1, kind='c', other=None"
    elsewhere = search({"m": loguniform(2, 3)}, n_iter=3).fit(X, y)
    assert facts_of(elsewhere).present is None


def test_the_hyperparameters_are_told_with_range_present_and_best_value():
    html = page_of("usual")
    section = html[html.index('id="hyperparameters"') : html.index('id="candidates"')]
    best = fitted("usual").best_params_
    assert "loguniform(0.001, 1000" in section
    assert f"<td>{best['k']}</td>" in section
    assert '<th scope="col">as it is</th>' in section


def test_a_stored_study_has_a_report_also_while_it_is_not_finished(tmp_path):
    path = tmp_path / "search.db"
    search(n_iter=15, storage=path, study_name="hill").fit(X, y)
    study = skpg.load_study(path, "hill", param_distributions=SPACE)
    html = written(study, tmp_path)
    assert "the best of 15 candidates" in html
    assert "searched over" not in html
    html = written(study, tmp_path, param_distributions=SPACE)
    assert "searched over" in html
    resumed = search(n_iter=18, storage=path, study_name="hill").fit(X, y)
    assert "the best of 18 candidates" in written(resumed, tmp_path)


def test_a_search_without_any_score_has_a_report(tmp_path):
    results = results_of(12)
    for name in list(results):
        if "test_score" in name:
            results[name] = np.full(12, np.nan)
    html = written(results, tmp_path)
    assert "None of 12 candidates has a score on every fold" in html
    assert titles(html) == []


def test_the_method_of_a_search_writes_the_same(tmp_path, monkeypatch):
    path = fitted("ten candidates").report(tmp_path / "mine.html")
    assert path == tmp_path / "mine.html"
    assert path.read_text(encoding="utf-8") == page_of("ten candidates")
    monkeypatch.chdir(tmp_path)
    assert fitted("ten candidates").report().name == "report.html"


def test_what_cannot_be_reported_on_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        search().report(tmp_path / "report.html")
    with pytest.raises(TypeError, match="must be a fitted search"):
        skpg.report([1, 2], tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_without_matplotlib_the_report_says_so_and_has_all_else(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    html = written(fitted("usual"), tmp_path)
    assert titles(html) == []
    assert "pip install matplotlib" in html
    assert len(data_of(html)["rows"]) == 30


def test_a_pipeline_is_told_by_its_steps(tmp_path):
    pipeline = Pipeline([("first", "passthrough"), ("model", Scripted())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = PolicyGradientSearchCV(
            pipeline, {"model__seconds": loguniform(1e-9, 1e-6)}, n_iter=2, cv=2
        ).fit(X, y > 9)
    assert "Hyperparameters of Scripted" in written(fit, tmp_path)
