"""A deep Q-learning agent for CartPole-v1: a scikit-learn estimator in numpy.

An agent learns from episodes, not from a table, and what differs between two trainings is
chance. So a row of `X` is the seed of a world: `fit` trains in the world of its rows, `score`
plays in that of others. Cross-validation then means what it always means: each fold trains an
agent of its own and tests it where it has not been.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from cartpole_physics import (
    MAX_ANGLE,
    MAX_POSITION,
    MAX_RETURN,
    STATE_RANGE,
    State,
    is_up,
    push,
    push_all,
    starts,
)
from numpy.typing import NDArray
from q_network import Adam, QNetwork
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

Array = NDArray[Any]


class DeepQAgent(BaseEstimator):
    """Deep Q-learning with a replay memory and a target network, on CartPole-v1.

    Mnih et al. (2015), doi:10.1038/nature14236. The hyperparameters and their names are those of
    P. Labarta Bajo's tutorial. An episode that is cut off at 500 steps is not a fall: its last
    state keeps its value.

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Of Adam.
    discount_factor : float, default=0.99
        Weight of a reward one step later.
    batch_size : int, default=64
        Transitions in a gradient step.
    memory_size : int, default=50_000
        Transitions that are remembered.
    freq_steps_train : int, default=16
        Environment steps from one training to the next.
    n_gradient_steps : int, default=16
        Gradient steps in a training.
    freq_steps_update_target : int, default=100
        Environment steps, at least, from one copy to the target network to the next.
    n_steps_warm_up_memory : int, default=1000
        Environment steps before the first training.
    nn_hidden_layers : sequence of int or None, default=(64, 64)
        Units of the hidden layers; None for a linear network.
    max_grad_norm : float, default=10
        Longer gradients are shortened to it.
    normalize_state : bool, default=False
        Divide states by the ranges that random pushes reach.
    epsilon_start, epsilon_end : float, default=0.9, 0.05
        Probability of a random action at the start and after its decay.
    steps_epsilon_decay : int, default=10_000
        Environment steps of the linear decay.
    n_steps : int, default=20_000
        Environment steps of the training.
    freq_steps_evaluate : int, default=1000
        Environment steps between evaluations, which play 50 episodes greedily. The network that
        was best in them is kept. Training ends when none of 50, and of 200 more, had a fall.
    n_episodes_score : int, default=100
        Episodes of `score`.

    Attributes
    ----------
    network_ : QNetwork
    n_steps_ : int
        Environment steps of the training.
    evaluations_ : list of (int, float)
        Environment steps so far and mean return, of each evaluation.
    """

    def __init__(
        self,
        learning_rate=1e-3,
        discount_factor=0.99,
        batch_size=64,
        memory_size=50_000,
        freq_steps_train=16,
        n_gradient_steps=16,
        freq_steps_update_target=100,
        n_steps_warm_up_memory=1000,
        nn_hidden_layers=(64, 64),
        max_grad_norm=10,
        normalize_state=False,
        epsilon_start=0.9,
        epsilon_end=0.05,
        steps_epsilon_decay=10_000,
        n_steps=20_000,
        freq_steps_evaluate=1000,
        n_episodes_score=100,
    ):
        self.learning_rate = learning_rate
        self.discount_factor = discount_factor
        self.batch_size = batch_size
        self.memory_size = memory_size
        self.freq_steps_train = freq_steps_train
        self.n_gradient_steps = n_gradient_steps
        self.freq_steps_update_target = freq_steps_update_target
        self.n_steps_warm_up_memory = n_steps_warm_up_memory
        self.nn_hidden_layers = nn_hidden_layers
        self.max_grad_norm = max_grad_norm
        self.normalize_state = normalize_state
        self.epsilon_start = epsilon_start
        self.epsilon_end = epsilon_end
        self.steps_epsilon_decay = steps_epsilon_decay
        self.n_steps = n_steps
        self.freq_steps_evaluate = freq_steps_evaluate
        self.n_episodes_score = n_episodes_score

    def fit(self, X, y=None):
        """Train in the world whose seeds are the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_seeds, 1)
            Non-negative integers.
        y : Ignored

        Returns
        -------
        DeepQAgent
        """
        training = Training(self, generator(X, 0))
        best = -1.0
        self.evaluations_ = []
        for n in range(1, self.n_steps + 1):
            training.step(n)
            if n % self.freq_steps_evaluate == 0 or n == self.n_steps:
                mean = training.evaluate()
                self.evaluations_.append((n, mean))
                if mean > best:
                    best, weights = mean, training.network.weights.copy()
                if mean == MAX_RETURN:
                    break
        self.network_, self.n_steps_ = training.network, n
        self.network_.weights[:] = weights
        return self

    def returns(self, X, n_episodes):
        """Play episodes, greedily, in the world whose seeds are the rows of X.

        Returns
        -------
        ndarray of shape (n_episodes,)
            Return of each: the steps until the pole fell, at most 500.
        """
        check_is_fitted(self)
        return play(self.network_, self._scale(), starts(generator(X, 1), n_episodes))

    def score(self, X, y=None):
        """Return the mean of `returns`, over `n_episodes_score` episodes."""
        return float(self.returns(X, self.n_episodes_score).mean())

    def _scale(self):
        return np.array(STATE_RANGE) if self.normalize_state else np.ones(4)


def generator(X: Any, purpose: int) -> np.random.Generator:
    """Return random numbers that depend on all seeds, and on what they are for."""
    X = check_array(X, dtype=np.int64)
    return np.random.default_rng([purpose, *X.ravel().tolist()])


def network_inputs(states: Array, scale: Array) -> Array:
    """Return scaled states and a column of ones."""
    inputs = np.ones((len(states), 5), dtype=np.float32)
    np.divide(states, scale, out=inputs[:, :4], casting="same_kind")
    return inputs


def play(network: QNetwork, scale: Array, states: Array) -> Array:
    """Play one episode from each state, greedily and all at once; return their returns."""
    returns, playing = np.zeros(len(states)), np.arange(len(states))
    for _ in range(MAX_RETURN):
        actions = network.values(network_inputs(states, scale)).argmax(axis=1)
        states = push_all(states, actions)
        returns[playing] += 1
        up = is_up(states)
        playing, states = playing[up], states[up]
        if not len(playing):
            break
    return returns


class Training:
    """What a training changes: networks, memory and the running episode."""

    def __init__(self, agent: DeepQAgent, rng: np.random.Generator):
        self.agent, self.rng = agent, rng
        hidden = agent.nn_hidden_layers or ()
        self.network, self.target = QNetwork(hidden, rng), QNetwork(hidden, rng)
        self.target.weights[:] = self.network.weights
        self.optimiser = Adam(self.network.weights, agent.learning_rate, agent.max_grad_norm)
        self.scale = agent._scale()
        self._inverse = (1 / self.scale).tolist()
        # a transition is one row: inputs before, inputs after, action, 0 after a fall and else 1
        self.memory = np.empty((min(agent.memory_size, agent.n_steps), 12), dtype=np.float32)
        self._copied = 0
        self._begin()

    def _begin(self) -> None:
        self._n_in_episode = 0
        self._state: State = tuple(starts(self.rng, 1)[0].tolist())
        self._inputs = self._as_inputs(self._state)

    def _as_inputs(self, state: State) -> State:
        a, b, c, d = self._inverse
        return state[0] * a, state[1] * b, state[2] * c, state[3] * d

    def step(self, n: int) -> None:
        """Do the n-th step in the environment, and learn if it is time."""
        agent = self.agent
        action = self._act(n)
        state = push(self._state, action)
        inputs = self._as_inputs(state)
        up = abs(state[0]) <= MAX_POSITION and abs(state[2]) <= MAX_ANGLE
        self.memory[(n - 1) % len(self.memory)] = (*self._inputs, 1, *inputs, 1, action, up)
        self._state, self._inputs = state, inputs
        self._n_in_episode += 1
        if not up or self._n_in_episode == MAX_RETURN:
            self._begin()
        if n >= agent.n_steps_warm_up_memory and n % agent.freq_steps_train == 0:
            self._learn(n)

    def _act(self, n: int) -> int:
        agent = self.agent
        ahead = max(1 - n / agent.steps_epsilon_decay, 0.0)
        epsilon = agent.epsilon_end + (agent.epsilon_start - agent.epsilon_end) * ahead
        if self.rng.random() < epsilon:
            return int(self.rng.random() < 0.5)
        left, right = self.network.values(np.array([[*self._inputs, 1]], np.float32))[0]
        return int(right > left)

    def _learn(self, n: int) -> None:
        agent = self.agent
        if n - self._copied >= agent.freq_steps_update_target:
            self.target.weights[:] = self.network.weights
            self._copied = n
        # the target network stands still: one pass serves the batches of all gradient steps
        size = agent.n_gradient_steps * agent.batch_size
        rows = self.memory[self.rng.integers(min(n, len(self.memory)), size=size)]
        after = self.target.values(rows[:, 5:10]).max(axis=1)
        targets = 1 + agent.discount_factor * rows[:, 11] * after
        actions = rows[:, 10].astype(np.intp)
        for start in range(0, size, agent.batch_size):
            batch = slice(start, start + agent.batch_size)
            self.optimiser.step(
                self.network.gradient_of_loss(rows[batch, :5], actions[batch], targets[batch])
            )

    def evaluate(self) -> float:
        """Return the mean return of 50 greedy episodes, of 250 if none of 50 had a fall."""
        returns = play(self.network, self.scale, starts(self.rng, 50))
        if returns.min() == MAX_RETURN:
            more = play(self.network, self.scale, starts(self.rng, 200))
            returns = np.concatenate([returns, more])
        return float(returns.mean())
