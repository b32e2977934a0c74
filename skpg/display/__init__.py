"""Pictures of what a search did and learned; matplotlib is needed to draw them only."""

from skpg.display.convergence import ConvergenceDisplay
from skpg.display.policy import PolicyDisplay
from skpg.display.recorder import Recorder
from skpg.display.slices import SlicesDisplay

__all__ = ["ConvergenceDisplay", "PolicyDisplay", "Recorder", "SlicesDisplay"]
