"""The agent of the CartPole example: its physics, its mathematics, its protocol."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

BENCHMARKS = Path(__file__).parents[2] / "doc" / "benchmarks"


@pytest.fixture(scope="module")
def benchmarks():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def cartpole(benchmarks):
    import cartpole_agent

    return cartpole_agent


@pytest.fixture(scope="module")
def physics(benchmarks):
    import cartpole_physics

    return cartpole_physics


@pytest.fixture(scope="module")
def networks(benchmarks):
    import q_network

    return q_network


@pytest.fixture
def short(cartpole):
    """Return an agent that trains for a second."""
    return cartpole.DeepQAgent(n_steps=1500, n_episodes_score=20)


def test_physics_are_those_of_gymnasium(physics):
    gymnasium = pytest.importorskip("gymnasium")
    environment = gymnasium.make("CartPole-v1")
    rng = np.random.default_rng(0)
    n_falls = 0
    for seed in range(30):
        observation, _ = environment.reset(seed=seed)
        state = tuple(environment.unwrapped.state.tolist())
        while True:
            action = int(rng.random() < 0.5)
            observation, reward, fallen, cut_off, _ = environment.step(action)
            state = physics.push(state, action)
            assert_allclose(observation, state, rtol=1e-6, atol=1e-7)
            assert reward == 1
            assert physics.is_up(np.array([state]))[0] == (not fallen)
            if fallen or cut_off:
                n_falls += fallen
                break
    assert n_falls == 30


def test_episodes_are_as_long_as_those_of_gymnasium(cartpole, physics, networks):
    """A network that leans with the pole keeps it up for a while, and to the end if it is good."""
    gymnasium = pytest.importorskip("gymnasium")
    network = networks.QNetwork((), np.random.default_rng(0))
    for weights in ([0, 0, 1, 0.2], [0.05, 0.1, 1, 0.5]):
        network.weights[:] = 0
        network.layers[0][:4, 1] = weights
        begin = physics.starts(np.random.default_rng(1), 5)
        returns = cartpole.play(network, np.ones(4), begin)
        for state, expected in zip(begin, returns, strict=True):
            environment = gymnasium.make("CartPole-v1")
            observation, _ = environment.reset()
            environment.unwrapped.state = state
            observation = state.astype(np.float32)
            total, over = 0.0, False
            while not over:
                action = int(np.append(observation, 1) @ network.layers[0][:, 1] > 0)
                observation, reward, fallen, cut_off, _ = environment.step(action)
                total, over = total + reward, fallen or cut_off
            assert total == expected
    assert returns.max() == 500


def test_pushes_of_one_and_of_many_agree(physics):
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(50, 4)), rng.integers(2, size=50)
    one_by_one = [
        physics.push(tuple(state), action)
        for state, action in zip(states.tolist(), actions.tolist(), strict=True)
    ]
    assert_allclose(physics.push_all(states, actions), one_by_one, rtol=1e-13)


@pytest.mark.parametrize("hidden", [(), (6,), (5, 7), (4, 5, 6)])
def test_gradient_agrees_with_finite_differences(hidden, networks):
    rng = np.random.default_rng(0)
    network = networks.QNetwork(hidden, rng, dtype=np.float64)
    inputs = np.column_stack([rng.normal(size=(12, 4)), np.ones(12)])
    actions, targets = rng.integers(2, size=12), rng.normal(size=12)
    gradient = network.gradient_of_loss(inputs, actions, targets).copy()

    def loss(k, by):
        network.weights[k] += by
        values = network.values(inputs)[np.arange(12), actions]
        network.weights[k] -= by
        return np.mean((values - targets) ** 2)

    for k in range(len(network.weights)):
        difference = (loss(k, 1e-6) - loss(k, -1e-6)) / 2e-6
        assert gradient[k] == pytest.approx(difference, abs=1e-7)


def test_adam_takes_the_steps_of_the_paper(networks):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=6)
    optimiser = networks.Adam(weights, learning_rate=0.1, max_grad_norm=2.0)
    expected, m, v = weights.copy(), np.zeros(6), np.zeros(6)
    for t in range(1, 20):
        gradient = rng.normal(size=6)
        limited = gradient * min(1, 2.0 / np.linalg.norm(gradient))
        m = 0.9 * m + 0.1 * limited
        v = 0.999 * v + 0.001 * limited**2
        expected -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        optimiser.step(gradient)
        assert_allclose(weights, expected, rtol=1e-9)


def test_unused_weights_do_not_become_subnormal(networks):
    """Of them arithmetic takes ten times as long."""
    optimiser = networks.Adam(np.zeros(3, np.float32), 1e-3, 10.0)
    optimiser.step(np.ones(3, np.float32))
    for _ in range(2000):
        optimiser.step(np.zeros(3, np.float32))
    smallest = np.finfo(np.float32).tiny
    assert optimiser._first.min() >= smallest
    assert optimiser._second.min() >= smallest


def test_memory_keeps_the_newest_transitions_and_a_cut_off_is_no_fall(cartpole, physics):
    agent = cartpole.DeepQAgent(memory_size=50, n_steps=1000, n_steps_warm_up_memory=10_000)
    training = cartpole.Training(agent, np.random.default_rng(0))
    for n in range(1, 121):
        training.step(n)
    order = np.roll(np.arange(50), -120 % 50)
    before, after = training.memory[order, :5], training.memory[order, 5:10]
    up = training.memory[order, 11] == 1
    assert_array_equal(before[1:][up[:-1]], after[:-1][up[:-1]])
    assert not up.all()
    for row in training.memory:
        state = physics.push(tuple(row[:4].tolist()), int(row[10]))
        assert_allclose(state, row[5:9], rtol=1e-5, atol=1e-6)
        assert physics.is_up(np.array([state]))[0] == row[11]
    training._n_in_episode = 499
    training._state = training._inputs = (0.0, 0.0, 0.0, 0.0)
    training.step(121)
    assert training._n_in_episode == 0
    assert training.memory[120 % 50, 11] == 1


def test_training_can_be_repeated_and_seeds_matter(short):
    first, again, other = (clone(short).fit([[seed]]) for seed in (0, 0, 1))
    assert_array_equal(first.network_.weights, again.network_.weights)
    assert first.evaluations_ == again.evaluations_
    assert (first.network_.weights != other.network_.weights).any()
    assert first.score([[5]]) == again.score([[5]])
    assert_array_equal(first.returns([[5]], 30)[:20], first.returns([[5]], 20))


def test_every_seed_of_a_fold_counts(short):
    both = clone(short).fit([[0], [1]])
    assert (both.network_.weights != clone(short).fit([[0]]).network_.weights).any()


def test_agent_keeps_the_protocol_of_scikit_learn(short):
    params = short.get_params()
    assert clone(short.set_params(nn_hidden_layers=None)).nn_hidden_layers is None
    short.set_params(**params)
    scores = cross_val_score(short, np.arange(3)[:, None], cv=3)
    assert scores.shape == (3,)
    assert ((scores >= 8) & (scores <= 500)).all()
    assert short.get_params() == params
    with pytest.raises(ValueError, match="not fitted"):
        short.score([[0]])


def test_agent_survives_a_file(short, tmp_path):
    import joblib

    agent = short.fit([[0]])
    joblib.dump(agent, tmp_path / "agent.joblib")
    loaded = joblib.load(tmp_path / "agent.joblib")
    assert_array_equal(loaded.returns([[3]], 20), agent.returns([[3]], 20))
    loaded.network_.weights[:] = 0
    assert not loaded.network_.layers[0].any()


def test_agent_learns(cartpole):
    agent = cartpole.DeepQAgent(n_steps=4000, learning_rate=2e-3, freq_steps_train=8)
    agent.fit([[0]])
    best = max(mean for _, mean in agent.evaluations_)
    assert best > 100  # random pushes reach 22
    assert agent.score([[1]]) == pytest.approx(best, rel=0.25)


def test_agent_keeps_the_network_that_was_best(cartpole, monkeypatch):
    means, met = iter([10.0, 30.0, 20.0, 30.0, 5.0]), []

    def evaluate(training):
        met.append(training.network.weights.copy())
        return next(means)

    monkeypatch.setattr(cartpole.Training, "evaluate", evaluate)
    agent = cartpole.DeepQAgent(n_steps=1500, freq_steps_evaluate=300, n_steps_warm_up_memory=100)
    agent.fit([[0]])
    assert agent.evaluations_ == [(300, 10), (600, 30), (900, 20), (1200, 30), (1500, 5)]
    assert_array_equal(agent.network_.weights, met[1])
    assert (met[1] != met[4]).any()


def test_training_ends_when_the_agent_is_perfect(cartpole, monkeypatch):
    means = iter([499.9, 500.0])
    monkeypatch.setattr(cartpole.Training, "evaluate", lambda training: next(means))
    assert cartpole.DeepQAgent(n_steps=900, freq_steps_evaluate=300).fit([[0]]).n_steps_ == 600


@pytest.fixture
def benchmark(benchmarks, tmp_path, monkeypatch):
    """Return the benchmark, with a small space and its results in a folder of their own."""
    import cartpole

    monkeypatch.setattr(cartpole, "N_ITER", 6)
    monkeypatch.setattr(cartpole, "RESULTS", tmp_path)
    monkeypatch.setattr(cartpole, "FITS", tmp_path / "fits.jsonl")
    monkeypatch.setattr(cartpole, "SEARCHES", tmp_path / "searches.jsonl")
    monkeypatch.setattr(cartpole, "N_NEW_EPISODES", 20)
    small = {"n_steps": [300, 600], "freq_steps_train": [8, 16, 32], "n_gradient_steps": [1, 4]}
    monkeypatch.setitem(cartpole.SPACES, "small", {**small, "n_steps_warm_up_memory": [100]})
    return cartpole


@pytest.mark.parametrize("method", ["skpg", "random", "tpe"])
def test_benchmark_goes_on_where_it_was_stopped(benchmark, method, monkeypatch):
    if method == "tpe":
        pytest.importorskip("optuna")
    benchmark.run([method], "small", range(1), {})
    fits, (first,) = benchmark.FITS.read_text(), benchmark.read(benchmark.SEARCHES)
    rows = first["candidates"]
    assert len(rows) == 6
    returns = np.array([row["mean_return"] for row in rows], dtype=float)
    assert first["best"] == rows[int(np.nanargmax(returns.mean(axis=1)))]["params"]
    assert np.isfinite(returns).any(axis=1).all()  # the race leaves one seed at least
    assert len(first["folds"]) == 3

    # as if it had been stopped in the middle of the search
    half = fits.splitlines(keepends=True)[: len(fits.splitlines()) // 2]
    benchmark.FITS.write_text("".join(half))
    benchmark.SEARCHES.unlink()
    trained, train = [], benchmark.DeepQAgent.fit

    def fit(agent, X, y=None):
        trained.append(agent)
        return train(agent, X)

    monkeypatch.setattr(benchmark.DeepQAgent, "fit", fit)
    benchmark.run([method], "small", range(1), {})
    n_winners = 4  # with new chance, and the agents of the three folds
    assert len(trained) == len(fits.splitlines()) - len(half) + n_winners
    (again,) = benchmark.read(benchmark.SEARCHES)
    for row, before in zip(again["candidates"], rows, strict=True):
        assert row["params"] == before["params"]
        assert row["mean_return"] == before["mean_return"]
    assert len(benchmark.FITS.read_text().splitlines()) == len(fits.splitlines())

    benchmark.run([method], "small", range(1), {})
    assert len(benchmark.read(benchmark.SEARCHES)) == 1


def test_benchmark_counts_what_it_took_to_the_target(benchmarks):
    from cartpole_table import cells, reached, spent

    rows = [([400, 400, 410], 30), ([300, None, None], 5), ([480, 490, 470], 20), ([500] * 3, 3)]
    record = {
        "candidates": [
            {"mean_return": returns, "n_steps": [cost] * 3, "cpu_seconds": [60.0, None, None]}
            for returns, cost in rows
        ]
    }
    assert reached(record, 475) == 3
    assert reached(record, 501) is None
    assert spent(record, "n_steps", 3) == 165
    never = {"candidates": record["candidates"][:2]}
    assert cells([record, never], 475) == ["1 of 2", "3", "0.00", "3.0"]
