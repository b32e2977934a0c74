"""Tables for the documentation."""

from __future__ import annotations

from collections.abc import Sequence


def list_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a ``list-table`` directive."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}".rstrip() for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"
