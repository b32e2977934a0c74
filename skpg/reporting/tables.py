"""The tables of a report, as HTML and as data."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import numpy as np

from skpg.evaluation.wording import score_text
from skpg.reporting.facts import Facts
from skpg.reporting.sureness import surenesses
from skpg.space.dimensions import Branch, Choice
from skpg.space.wording import describe, in_one_line, value_text, written

# Rows that stand in the page itself; the others are data, until they are looked at.
FIRST_ROWS = 50
# Characters of a cell, and of a list of choices.
LONGEST_CELL, LONGEST_LIST = 60, 160


def candidate_columns(facts: Facts) -> list[str]:
    """Return the titles of the columns of the table of candidates."""
    names = dict.fromkeys(name for params in facts.record.params for name in params)
    others = [f"mean {name}" for name in facts.means]
    return ["candidate", "score", "std", "status", *names, *others, "seconds", "update"]


def candidate_rows(facts: Facts) -> list[list[str]]:
    """Return the cells of the table of candidates, the best first, then raced and failed ones."""
    record = facts.record
    names = dict.fromkeys(name for params in record.params for name in params)
    stds = record.fold_scores.std(axis=1)
    estimates = np.where(record.raced, record.estimates, -np.inf)
    others = np.flatnonzero(~record.complete)
    others = others[np.argsort(-estimates[others], kind="stable")]
    return [
        [
            str(i + 1),
            _number(record.scores[i]),
            _number(stds[i]),
            str(record.statuses[i]),
            *(_cell(record.params[i], name) for name in names),
            *(_number(means[i]) for means in facts.means.values()),
            f"{record.seconds[i]:.4g}",
            str(record.updates[i]),
        ]
        for i in (*facts.ranking, *others)
    ]


def candidates_html(columns: list[str], rows: list[list[str]]) -> str:
    """Return the table of candidates with its first rows."""
    buttons = (f'<th scope="col"><button type="button">{escape(c)}</button></th>' for c in columns)
    return (
        f'<table id="candidates-table"><thead><tr>{"".join(buttons)}</tr></thead><tbody>'
        f"{_body(rows[:FIRST_ROWS])}</tbody></table>"
    )


def candidates_json(rows: list[list[str]]) -> str:
    """Return all rows as JSON that may stand in a script element."""
    text = json.dumps({"rows": rows, "page": FIRST_ROWS}, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def space_html(facts: Facts) -> str:
    """Return the table of hyperparameters: range, value as it is, best value, policy."""
    has_policy, has_present = facts.policy is not None, facts.estimator is not None
    titles = ["hyperparameter", "searched over", "as it is", "best", "the policy now"]
    kept = [True, facts.knows_space, has_present, True, has_policy]
    heads = (f'<th scope="col">{t}</th>' for t, keep in zip(titles, kept, strict=True) if keep)
    rows = [
        [cell for cell, keep in zip(row, kept, strict=True) if keep] for row in _space_rows(facts)
    ]
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{_body(rows)}</tbody></table>"


def settings_html(facts: Facts) -> str:
    """Return the table of the arguments of the search."""
    rows = [
        [name, in_one_line(value, 500)]
        for name, value in facts.settings.items()
        if name not in ("param_distributions", "param_grid")
    ]
    return f"<table><tbody>{_body(rows)}</tbody></table>"


def _space_rows(facts: Facts) -> list[list[str]]:
    record = facts.record
    best = {} if record.best is None else record.params[record.best]
    present = {} if facts.estimator is None else facts.estimator.get_params()
    states = {} if facts.policy is None else {s.column: s for s in surenesses(facts.policy)}
    rows = []
    for column, dimension in enumerate(record.space.dimensions):
        if isinstance(dimension, Branch):
            continue
        name, state = dimension.name, states.get(column)
        # of several dicts, the value belongs to the one that the best candidate is from
        is_of_best = record.best is not None and not np.isnan(record.resolved[record.best, column])
        rows.append(
            [
                name,
                _range(dimension),
                value_text(present[name], LONGEST_CELL) if name in present else "",
                value_text(best[name], LONGEST_CELL) if is_of_best else "",
                "" if state is None else state.values,
            ]
        )
    return rows


def _range(dimension: Any) -> str:
    if isinstance(dimension, Choice):
        return in_one_line(list(dimension.choices), LONGEST_LIST)
    distribution = dimension.distribution
    return describe(distribution) if not hasattr(distribution, "source") else written(distribution)


def _body(rows: list[list[str]]) -> str:
    return "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )


def _number(value: float) -> str:
    return score_text(value) if np.isfinite(value) else ""


def _cell(params: Any, name: str) -> str:
    return value_text(params[name], LONGEST_CELL) if name in params else ""
