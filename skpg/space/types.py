"""The types of arrays and of candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# One candidate: the names of hyperparameters and their values, as for `set_params`.
Params = dict[str, Any]
