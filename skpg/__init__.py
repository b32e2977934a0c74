"""A scikit-learn hyperparameter search that learns while it searches."""

from skpg import learners
from skpg._optimizer import PolicyGradientOptimizer
from skpg._search import PolicyGradientSearchCV
from skpg._space import Space
from skpg._storage import StorageError, StudyInUseError
from skpg._studies import StudySummary, load_study, studies
from skpg.policy.policy import Policy

__all__ = [
    "Policy",
    "PolicyGradientOptimizer",
    "PolicyGradientSearchCV",
    "Space",
    "StorageError",
    "StudyInUseError",
    "StudySummary",
    "learners",
    "load_study",
    "studies",
]
__version__ = "0.1.0"
