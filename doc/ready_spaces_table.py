"""The directive ``ready-spaces``: a section with a table for each family of estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from skpg.spaces.entry import Entry
from skpg.spaces.suggestion import FAMILIES

HEADER = ["Estimators", "Hyperparameter", "Values", "Reason"]


def shown(values: Any) -> str:
    """Return the values of a range in words."""
    if isinstance(values, list):
        return ", ".join(f"``{value!r}``" for value in values)
    low, high = values.support()
    scale = {"loguniform": "on a logarithmic scale", "randint": "integers"}
    return f"{low:.3g} to {high:.3g} {scale.get(values.dist.name, '')}".rstrip()


def condition_of(entry: Entry, earlier: Sequence[Entry]) -> str:
    """Return when an entry holds, in words."""
    parts = [
        f"``{name}`` is {' or '.join(f'``{value!r}``' for value in values)}"
        for name, values in entry.when.items()
    ]
    if parts:
        return f", where {' and '.join(parts)}"
    return ", otherwise" if any(entry.classes == other.classes for other in earlier) else ""


def rows_of(entry: Entry, earlier: Sequence[Entry]) -> list[list[str]]:
    """Return a row for each hyperparameter, with the estimators in the first one."""
    package = "" if entry.package == "sklearn" else f" ({entry.package})"
    label = ", ".join(entry.classes.split()) + package + condition_of(entry, earlier)
    rows = []
    for ranges in entry.alternatives:
        for name, (values, reason) in ranges.items():
            rows.append([label, f"``{name}``", shown(values), reason])
            label = ""
        label = "*or*"
    return rows


def text_of(title: str, entries: tuple[Entry, ...]) -> str:
    """Return the section of a family as reStructuredText."""
    lines = [title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1"]
    lines += ["   :widths: 22 27 21 30", "   :class: wrapped", ""]
    rows = [row for i, entry in enumerate(entries) for row in rows_of(entry, entries[:i])]
    for row in [HEADER, *rows]:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}".rstrip() for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n\n"


class ReadySpaces(SphinxDirective):
    """The tables, made from what `skpg.spaces.suggest` returns."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # the tables may change while the page does not
        text = "".join(text_of(title, entries) for title, entries in FAMILIES.items())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("ready-spaces", ReadySpaces)
    return {"parallel_read_safe": True}
