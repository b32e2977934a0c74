"""What a notebook shows of a fitted search above scikit-learn's diagram."""

from __future__ import annotations

from html import escape
from typing import Any

from skpg.reporting.curve import convergence_svg
from skpg.reporting.facts import Facts, facts_of
from skpg.reporting.prose import prose
from skpg.reporting.verdict import Verdict, verdict_of
from skpg.space.wording import value_text

STYLE = """
.skpg-summary { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0.5em 2em;
  margin: 0.3em 0 0.8em; font: 13px/1.45 system-ui, sans-serif; }
.skpg-summary > div { flex: 1 1 24em; max-width: 60em; }
.skpg-summary p { margin: 0.25em 0; }
.skpg-summary code { overflow-wrap: anywhere; font-size: 12px; color: inherit;
  background: none; }
.skpg-summary details { margin: 0.25em 0; }
.skpg-summary svg { flex: 0 1 auto; max-width: 100%; height: auto; }
"""


def summary_html(search: Any) -> str:
    """Return the verdict on a fitted search and its curve, as HTML.

    Colours are those of the text around it, so that it fits light and dark themes.
    """
    facts = facts_of(search)
    verdict = verdict_of(facts)
    return (
        f'<div class="skpg-summary"><style>{STYLE}</style><div>{_text(facts, verdict)}</div>'
        f"{convergence_svg(facts.record)}</div>"
    )


def _text(facts: Facts, verdict: Verdict) -> str:
    best = facts.record.best
    params = {} if best is None else facts.record.params[best]
    shown = ", ".join(f"{name}={value_text(value)}" for name, value in params.items())
    advice = "".join(f"<li>{prose(text)}</li>" for text in verdict.advice)
    paragraphs = [f"<p><b>{escape(verdict.headline)}</b></p>"]
    paragraphs += [f"<p><code>{escape(shown)}</code></p>"] * bool(shown)
    paragraphs += [f"<p>{prose(text)}</p>" for _, text in verdict.findings]
    if advice:
        paragraphs.append(f"<details><summary>What to do next</summary><ul>{advice}</ul></details>")
    return "".join(paragraphs)
