"""Who called: the stack of the interpreter beyond this package."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from types import CodeType, FrameType

import joblib
import sklearn


def _folder(module_file: str | None) -> str:
    return os.path.join(os.path.dirname(str(module_file)), "")


SKPG = _folder(os.path.dirname(__file__))  # this module is one room below
SKLEARN, JOBLIB = _folder(sklearn.__file__), _folder(joblib.__file__)
# Those parts of scikit-learn that fit what they hold once, or are on the way to a fit.
FIT_ONCE = tuple(
    os.path.join(SKLEARN, *part)
    for part in (
        ("base.py",),
        ("pipeline.py",),
        ("compose", "_target.py"),
        ("feature_selection", "_from_model.py"),
        ("utils", ""),
    )
)


def warn(message: str) -> None:
    """Warn such that the warning shows the line of the user, as `stacklevel` does.

    That is the innermost line outside of this package, scikit-learn and joblib.
    """
    inside = (SKPG, SKLEARN, JOBLIB, contextlib.__file__)
    level = 1
    for frame in _stack(sys._getframe(1)):
        level += 1
        if not frame.f_code.co_filename.startswith(inside):
            break
    warnings.warn(message, UserWarning, stacklevel=level)


def is_nested(fit: CodeType) -> bool:
    """Return whether the innermost call of a function is part of another fit.

    That is one of scikit-learn, joblib or this package that goes on with others after it, such
    as a cross-validation, and not a pipeline.

    Parameters
    ----------
    fit : code
        Of the function.
    """
    stack = _stack(sys._getframe(1))
    for frame in stack:
        if frame.f_code is fit:
            break
    files = (frame.f_code.co_filename for frame in stack)
    return any(
        file.startswith((SKPG, SKLEARN, JOBLIB)) and not file.startswith(FIT_ONCE) for file in files
    )


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that called it, from the innermost on."""
    while frame is not None:
        yield frame
        frame = frame.f_back
