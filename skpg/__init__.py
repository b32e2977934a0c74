"""A scikit-learn hyperparameter search that learns while it searches."""

from skpg import learners
from skpg._optimizer import PolicyGradientOptimizer
from skpg._search import PolicyGradientSearchCV

__all__ = ["PolicyGradientOptimizer", "PolicyGradientSearchCV", "learners"]
__version__ = "0.1.0"
