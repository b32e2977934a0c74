"""What every candidate of a space must be."""

import numpy as np

from skpg.space.dimensions import Continuous, Discrete


def check_native(space, params):
    """Numbers are Python's, of the kind that is drawn, and lie within the support."""
    row = space.identify(params)
    columns = space.columns[int(row[0]) if space.branches > 1 else 0]
    for j, (dimension, value) in enumerate(zip(space.dimensions, row, strict=True)):
        if isinstance(dimension, Continuous | Discrete) and j in columns:
            kind = int if getattr(dimension, "whole", False) else float
            assert type(params[dimension.name]) is kind
        support = getattr(getattr(dimension, "distribution", None), "support", None)
        if support is not None and not np.isnan(value):
            assert np.trunc(support()[0]) <= value <= support()[1]
