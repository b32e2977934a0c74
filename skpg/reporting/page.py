"""The page of a report: one HTML file that needs no other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from skpg.reporting.facts import Facts
from skpg.reporting.figures import ReportFigure
from skpg.reporting.prose import prose
from skpg.reporting.tables import (
    candidate_columns,
    candidate_rows,
    candidates_html,
    candidates_json,
    settings_html,
    space_html,
)
from skpg.reporting.verdict import Verdict
from skpg.reporting.winner import winner_code
from skpg.space.wording import value_text

# A browser refuses all that is not in the file, so that it can show nothing else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(facts: Facts, verdict: Verdict, figures: Sequence[ReportFigure], note: str = "") -> str:
    """Return the page as HTML.

    Parameters
    ----------
    facts : Facts
    verdict : Verdict
    figures : sequence of ReportFigure
    note : str, default=""
        A sentence in place of figures.
    """
    parts = [
        f"<header><h1>{escape(verdict.headline)}</h1><p>{escape(_subject(facts))}</p></header>",
        _best(facts),
        _section("Verdict", _findings(verdict)),
        _section("What to do next", _items(verdict.advice)) if verdict.advice else "",
        _winner(facts),
        _section("Figures", _figures(figures, note)),
        _section("Hyperparameters", _scrolling(space_html(facts))),
        _candidates(facts),
        _settings(facts),
    ]
    return _document(verdict.headline, "\n".join(part for part in parts if part))


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<style>
{_resource("report.css")}</style>
</head>
<body>
<main>
{body}
</main>
<footer>Written by skpg {sys.modules["skpg"].__version__}.</footer>
<script>
{_resource("report.js")}</script>
</body>
</html>
"""


def _resource(name: str) -> str:
    return files("skpg.reporting").joinpath(name).read_text(encoding="utf-8")


def _subject(facts: Facts) -> str:
    if facts.estimator is None:
        return "From the results of a search, without its estimator and data."
    names = [type(facts.estimator).__name__]
    steps = getattr(facts.estimator, "steps", None)
    if steps:
        names = [type(step).__name__ for _, step in steps if not isinstance(step, str)]
    return f"Hyperparameters of {', then '.join(names)}"


def _best(facts: Facts) -> str:
    best = facts.record.best
    if best is None:
        return ""
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value_text(value, 60))}</dd></div>"
        for name, value in facts.record.params[best].items()
    )
    return f'<section aria-label="Best hyperparameters"><dl class="best">{cards}</dl></section>'


def _section(title: str, content: str) -> str:
    name = title.lower().replace(" ", "-")
    return f'<section id="{name}"><h2>{escape(title)}</h2>\n{content}</section>'


def _findings(verdict: Verdict) -> str:
    entries = (
        f"<div><dt>{escape(title)}</dt><dd>{prose(text)}</dd></div>"
        for title, text in verdict.findings
    )
    return f'<dl class="findings">{"".join(entries)}</dl>'


def _items(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{prose(text)}</li>' for text in texts)}</ul>"


def _winner(facts: Facts) -> str:
    if facts.record.best is None:
        return ""
    return _section(
        "The winner in code",
        '<div class="code"><button type="button" id="copy" hidden>Copy</button>'
        f'<pre id="code"><code>{escape(winner_code(facts))}</code></pre></div>',
    )


def _figures(figures: Sequence[ReportFigure], note: str) -> str:
    shown = (
        f'<figure><figcaption><h3 id="figure-{k}">{escape(f.title)}</h3>'
        f"<p>{escape(f.caption)}</p></figcaption>"
        f'<div class="scroll" role="img" aria-labelledby="figure-{k}">{f.svg}</div></figure>'
        for k, f in enumerate(figures)
    )
    return "\n".join([*shown, *[f"<p>{escape(note)}</p>"] * bool(note)])


def _candidates(facts: Facts) -> str:
    columns, rows = candidate_columns(facts), candidate_rows(facts)
    return _section(
        "Candidates",
        '<p class="tools" hidden><label>Filter '
        '<input id="filter" type="search" placeholder="complete  C&gt;0.1  kernel=rbf"></label> '
        '<output id="count" for="filter"></output></p>'
        f"{_scrolling(candidates_html(columns, rows))}"
        '<button type="button" id="more" hidden>Show more</button>'
        f'<script type="application/json" id="candidates-data">{candidates_json(rows)}</script>',
    )


def _settings(facts: Facts) -> str:
    if not facts.settings:
        return ""
    return (
        '<section id="settings"><details><summary>Settings of the search</summary>'
        f"{_scrolling(settings_html(facts))}</details></section>"
    )


def _scrolling(table: str) -> str:
    return f'<div class="scroll" tabindex="0">{table}</div>'
