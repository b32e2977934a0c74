"""Ready ranges for the hyperparameters of common estimators."""

from skpg.spaces.suggestion import suggest

__all__ = ["suggest"]
