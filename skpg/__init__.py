"""A scikit-learn hyperparameter search that learns while it searches."""

from skpg import display, learners, spaces
from skpg.optimizer import PolicyGradientOptimizer
from skpg.policy.policy import Policy
from skpg.reporting import report
from skpg.search import PolicyGradientSearchCV
from skpg.space.lists import Categorical, Ordinal
from skpg.space.logrange import logrange
from skpg.space.space import Space
from skpg.storage.database import StorageError, StudyInUseError
from skpg.storage.reading import StudySummary, load_study, studies
from skpg.winner.committee import CommitteeClassifier, CommitteeRegressor
from skpg.winner.correction import CorrectedScore, corrected_score
from skpg.winner.ensemble import Ensemble
from skpg.winner.searches import committee

__all__ = [
    "Categorical",
    "CommitteeClassifier",
    "CommitteeRegressor",
    "CorrectedScore",
    "Ensemble",
    "Ordinal",
    "Policy",
    "PolicyGradientOptimizer",
    "PolicyGradientSearchCV",
    "Space",
    "StorageError",
    "StudyInUseError",
    "StudySummary",
    "committee",
    "corrected_score",
    "display",
    "learners",
    "load_study",
    "logrange",
    "report",
    "spaces",
    "studies",
]
__version__ = "0.1.0"
