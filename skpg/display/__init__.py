"""Pictures of what a search did and learned; matplotlib is needed to draw them only."""

from skpg.display.convergence import ConvergenceDisplay
from skpg.display.importance import ImportanceDisplay
from skpg.display.pairs import PairsDisplay
from skpg.display.parallel import ParallelCoordinatesDisplay
from skpg.display.policy import PolicyDisplay
from skpg.display.racing import RacingDisplay
from skpg.display.recorder import Recorder
from skpg.display.slices import SlicesDisplay
from skpg.display.timeline import TimelineDisplay

__all__ = [
    "ConvergenceDisplay",
    "ImportanceDisplay",
    "PairsDisplay",
    "ParallelCoordinatesDisplay",
    "PolicyDisplay",
    "RacingDisplay",
    "Recorder",
    "SlicesDisplay",
    "TimelineDisplay",
]
