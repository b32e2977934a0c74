"""Which actions may be proposed: new ones, and only those that the user's constraint allows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Set

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skpg.policy.policy import Policy
from skpg.space.constraint import Constraint
from skpg.space.features import design
from skpg.space.space import Space
from skpg.space.types import FloatArray

# Draws after which a constraint counts as one that nothing satisfies, and in which a proposal
# looks for allowed candidates.
MOST_DRAWS = 10_000
# Draws in which a constraint must not fail, before anything is evaluated.
FIRST_DRAWS = 100
# Finite spaces up to this size are listed when draws find nothing new.
LARGEST_GRID = 100_000


class Admission:
    """Which actions may be proposed, at one time.

    Keys, and what the constraint says of them, are kept, since a proposal asks for the same
    ones again and again.

    Parameters
    ----------
    space : Space
    seen : set of bytes
        The keys of the candidates that are not new.
    constraint : Constraint or None
    strict : bool, default=True
        Whether a constraint that fails is an error. If not, its candidate is refused, with a
        warning.

    Attributes
    ----------
    refused : int
        Number of new candidates that the constraint has refused.
    """

    def __init__(
        self, space: Space, seen: Set[bytes], constraint: Constraint | None, *, strict: bool = True
    ):
        self.space = space
        self.seen = seen
        self.refused = 0
        self._constraint, self._strict = constraint, strict
        self._known: dict[bytes, bytes] = {}
        self._allowed: dict[bytes, bool] = {}

    def __call__(self, actions: FloatArray) -> NDArray[np.bool_]:
        """Return which actions are allowed, not seen before, nor repeated among themselves."""
        mask = np.zeros(len(actions), dtype=bool)
        earlier: set[bytes] = set()
        keys = self.keys(actions)
        for i, key in enumerate(keys):
            mask[i] = key not in self.seen and key not in earlier
            earlier.add(key)
        if self._constraint is not None:
            new = np.flatnonzero(mask).tolist()
            self._ask_constraint([i for i in new if keys[i] not in self._allowed], keys, actions)
            mask[new] = [self._allowed[keys[i]] for i in new]
        return mask

    def keys(self, actions: FloatArray) -> list[bytes]:
        """Return the keys of actions."""
        actions = np.asarray(actions, dtype=float)
        rows = [action.tobytes() for action in actions]
        new = [i for i, row in enumerate(rows) if row not in self._known]
        if new:
            keys = self.space.keys(actions[new])
            self._known.update(zip((rows[i] for i in new), keys, strict=True))
        return [self._known[row] for row in rows]

    def _ask_constraint(self, rows: list[int], keys: list[bytes], actions: FloatArray) -> None:
        assert self._constraint is not None
        for i, params in zip(rows, self.space.decode(actions[rows]), strict=True):
            try:
                allowed = self._constraint.allows(params)
            except (TypeError, ValueError) as error:
                if self._strict:
                    raise
                allowed = False  # what is evaluated already must not be lost
                if not self._constraint.has_failed:
                    self._constraint.has_failed = True
                    warnings.warn(f"A candidate was refused: {error}", RuntimeWarning, stacklevel=2)
            self._allowed[keys[i]] = allowed
            self.refused += not allowed


def allowed_example(space: Space, constraint: Constraint) -> FloatArray:
    """Return an action that a constraint allows, always the same one, of shape (1, n_dimensions).

    Raises
    ------
    ValueError
        If there is none among 10,000 draws, nor in a space that can be listed, or if the
        constraint raises an error at any of the candidates looked at.
    TypeError
        If the constraint does not return a bool.
    """
    rng, prior = np.random.default_rng(0), Policy.prior(space)
    admission = Admission(space, set(), constraint)
    for n in growing(MOST_DRAWS) if space.size > MOST_DRAWS else ():
        actions = prior.sample_actions(n, rng)
        mask = admission(actions)
        if mask.any():
            return actions[mask][:1]
    listed = space.size <= LARGEST_GRID
    actions = space.grid() if listed else actions[:0]
    mask = admission(actions)
    if mask.any():
        return actions[mask][:1]
    tried = f"{len(actions)} candidates of the space" if listed else f"{MOST_DRAWS} draws"
    raise ValueError(
        f"constraint refused all {tried}. A search needs candidates that it allows: loosen it, "
        "or narrow the space to where it holds."
    )


def n_allowed(space: Space, constraint: Constraint | None, at_most: int) -> int:
    """Return the number of distinct candidates of a space that can be listed, or `at_most`."""
    seen: set[bytes] = set()
    admission, grid = Admission(space, seen, constraint), space.grid()
    for part in np.array_split(grid, len(grid) // FIRST_DRAWS + 1):
        seen.update(admission.keys(part[admission(part)]))
        if len(seen) >= at_most:
            return at_most
    return len(seen)


def growing(total: int) -> Iterator[int]:
    """Yield sizes of batches, each twice the one before, that sum to a total."""
    size = FIRST_DRAWS
    while total > 0:
        yield min(size, total)
        total -= size
        size *= 2


def spread(space: Space, actions: FloatArray, given: int, n: int) -> FloatArray:
    """Return the first `given` actions and others, each the farthest from those before it.

    Parameters
    ----------
    space : Space
    actions : ndarray of shape (m, n_dimensions)
    given : int
    n : int
        Number of actions to return; fewer if there are fewer.
    """
    x = design(space, actions)
    distances = np.full(len(x), np.inf)
    chosen: list[int] = []
    while len(chosen) < min(n, len(x)):
        row = len(chosen) if len(chosen) < given else int(np.argmax(distances))
        chosen.append(row)
        distances = np.minimum(distances, cdist(x, x[[row]])[:, 0])
        distances[chosen] = -1.0
    return actions[chosen]
