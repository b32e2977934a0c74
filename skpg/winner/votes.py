"""What classifiers say of a sample, in one form that can be averaged.

A *vote* is a row of one share for each class; the shares are not negative, and 1 in sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from skpg.space.types import FloatArray

Labels = NDArray[Any]


def votes_of_labels(labels: ArrayLike, classes: Labels) -> FloatArray:
    """Return votes that give all to one class.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> votes_of_labels(["b", "a"], np.array(["a", "b", "c"]))
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    return np.eye(len(classes))[np.searchsorted(classes, np.asarray(labels))]


def votes_of_decisions(decisions: FloatArray, scale: float) -> FloatArray:
    """Return votes that grow with decisions, and stay below 1.

    Parameters
    ----------
    decisions : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Of two classes, the greater the more it is the second one.
    scale : float
        The spread of the decisions: models differ in their units.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> votes_of_decisions(np.array([0.0, -5.0]), scale=5.0).round(2)
    array([[0.5 , 0.5 ],
           [0.88, 0.12]])
    """
    return np.asarray(softmax(_centered(decisions) / scale, axis=1))


def spread(decisions: FloatArray) -> float:
    """Return the mean distance of decisions from the middle of their row; 1 where it is none."""
    mean = float(np.abs(_centered(decisions)).mean())
    return mean if np.isfinite(mean) and mean > 0 else 1.0


def align(votes: FloatArray, known: Labels, classes: Labels) -> FloatArray:
    """Return votes on all classes; those that a model does not know get nothing.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_known)
    known : ndarray of shape (n_known,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    aligned = np.zeros((len(votes), len(classes)))
    aligned[:, np.searchsorted(classes, known)] = votes
    return aligned


def _centered(decisions: FloatArray) -> FloatArray:
    columns = np.stack([-decisions, decisions], axis=1) if decisions.ndim == 1 else decisions
    return columns - columns.mean(axis=1, keepdims=True)
