"""The physics of gymnasium's CartPole-v1, for one episode and for many at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Barto, Sutton and Anderson (1983), doi:10.1109/TSMC.1983.6313077
GRAVITY, MASS_POLE, MASS, HALF_LENGTH, FORCE, SECONDS = 9.8, 0.1, 1.1, 0.5, 10.0, 0.02
MAX_POSITION, MAX_ANGLE, MAX_RETURN = 2.4, math.radians(12), 500
# the greatest magnitudes that random pushes lead to
STATE_RANGE = (2.4, 3.5, 0.25, 3.5)

State = tuple[float, float, float, float]


def push(state: State, action: int) -> State:
    """Return the state 0.02 s after a push to the left (0) or to the right (1)."""
    x, x_dot, theta, theta_dot = state
    cos, sin = math.cos(theta), math.sin(theta)
    force = FORCE if action else -FORCE
    temp = (force + MASS_POLE * HALF_LENGTH * theta_dot * theta_dot * sin) / MASS
    inertia = HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * cos * cos / MASS)
    angular = (GRAVITY * sin - cos * temp) / inertia
    linear = temp - MASS_POLE * HALF_LENGTH * angular * cos / MASS
    return (
        x + SECONDS * x_dot,
        x_dot + SECONDS * linear,
        theta + SECONDS * theta_dot,
        theta_dot + SECONDS * angular,
    )


def push_all(states: Array, actions: Array) -> Array:
    """Return what `push` returns, for states of shape (n, 4)."""
    _, x_dot, theta, theta_dot = states.T
    cos, sin = np.cos(theta), np.sin(theta)
    force = np.where(actions, FORCE, -FORCE)
    temp = (force + MASS_POLE * HALF_LENGTH * theta_dot * theta_dot * sin) / MASS
    inertia = HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * cos * cos / MASS)
    angular = (GRAVITY * sin - cos * temp) / inertia
    linear = temp - MASS_POLE * HALF_LENGTH * angular * cos / MASS
    return states + SECONDS * np.column_stack([x_dot, linear, theta_dot, angular])


def is_up(states: Array) -> Array:
    """Return whether episodes go on, for states of shape (n, 4)."""
    return (np.abs(states[:, 0]) <= MAX_POSITION) & (np.abs(states[:, 2]) <= MAX_ANGLE)


def starts(rng: np.random.Generator, n: int) -> Array:
    """Draw the states in which episodes begin."""
    return rng.uniform(-0.05, 0.05, (n, 4))
