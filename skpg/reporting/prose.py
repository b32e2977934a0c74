"""Sentences as HTML."""

from __future__ import annotations

import re
from html import escape


def prose(text: str) -> str:
    """Return a sentence as HTML, in which what stands between backticks is code.

    Examples
    --------
    >>> from skpg.reporting.prose import prose
    >>> prose("a larger `n_iter` <goes on>")
    'a larger <code>n_iter</code> &lt;goes on&gt;'
    """
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
