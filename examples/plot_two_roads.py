r"""
Two roads to one gradient
=========================

A cross-validated score has no derivative. Two estimates of a gradient do without one:

- the **policy gradient** draws candidates :math:`a` from a policy and averages
  :math:`(r(a) - b)\, \nabla_\theta \log p_\theta(a)`;
- the **zeroth-order gradient** perturbs the parameters of the policy, evaluates something
  at :math:`\theta + \epsilon u`, and averages :math:`(f(\theta + \epsilon u) - b)\, u / \epsilon`.

This page shows in numbers that they lead to the same place, how much noise they carry there,
and what each baseline saves. What is derived in :ref:`mathematics` is measured here.
"""

import numpy as np
from scipy.stats import uniform
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientOptimizer

try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    print("matplotlib is not installed: no plots.")

rng = np.random.default_rng(0)

# %%
# One list, and every reward known
# --------------------------------
# The depth of a decision tree, and its cross-validated accuracy on the digits. With ten
# candidates all rewards can be computed, so that every expectation is a sum and the exact
# gradient is known. The policy is half decided: it is somewhat in favour of shallow trees.

space = {"max_depth": list(range(1, 11))}
X, y = load_digits(return_X_y=True)
accuracy = np.array(
    [
        cross_val_score(DecisionTreeClassifier(max_depth=k, random_state=0), X, y, cv=3).mean()
        for k in space["max_depth"]
    ]
)
policy = PolicyGradientOptimizer(space).policy
policy = policy.with_theta(np.linspace(0.5, -0.5, 10))
p = policy.actors[0].probabilities
exact = (p * accuracy) @ policy.grad_log_prob(np.arange(10.0)[:, None])

print("max_depth   " + " ".join(f"{k:6d}" for k in space["max_depth"]))
print("probability " + " ".join(f"{v:6.3f}" for v in p))
print("accuracy    " + " ".join(f"{v:6.3f}" for v in accuracy))
print("gradient    " + " ".join(f"{v:6.3f}" for v in exact))

# %%
# The roads meet: the softened objective
# --------------------------------------
# The reward of the policy's mode, :math:`\sum_k r(k) [k = \operatorname{argmax}_j \theta_j]`,
# has steps and no slopes. Soften the indicator to a softmax, and it becomes the expected reward
# :math:`J(\theta) = \sum_k r(k)\, p_\theta(k)`. The zeroth-order gradient of *that* must be the
# policy gradient. ``terms`` are the summands of each estimate, of which any number is averaged.

EPSILON, MOST, REPEATS = 0.1, 10_000, 40


def softened(theta):
    """Return the expected accuracy under each row of logits."""
    weights = np.exp(theta)
    return weights @ accuracy / weights.sum(axis=1)


def policy_gradient_terms(n):
    """Return n summands of the policy gradient."""
    actions = policy.sample_actions(n, rng)
    rewards = accuracy[actions[:, 0].astype(int)]
    return (rewards - p @ accuracy)[:, None] * policy.grad_log_prob(actions)


def softened_terms(n):
    """Return n summands of the zeroth-order gradient of the softened objective."""
    u = rng.standard_normal((n, 10))
    rewards = softened(policy.theta + EPSILON * u)
    return (rewards - p @ accuracy)[:, None] * u / EPSILON


# %%
# The roads meet: the mode itself
# -------------------------------
# Nothing has to be softened by hand. The perturbation itself turns the mode into a random
# choice: it is drawn from some policy :math:`q`, and the zeroth-order gradient of the mode's
# reward is the policy gradient of :math:`q`. The reward sees of :math:`u` only which choice came
# first. All else in :math:`u` is noise, and :math:`E[u \mid a] = \epsilon \nabla \log q(a)` is
# what is left without it. :class:`~skpg.learners.ZerothOrder` learns from that one.

WIDE = 0.5  # large enough for every choice to come first now and then


def perturbed_modes(n):
    """Return n perturbations, the modes that they lead to, and their accuracies."""
    u = rng.standard_normal((n, 10))
    actions = policy.perturbed_modes(WIDE * u)
    return u, actions, accuracy[actions[:, 0].astype(int)]


def mode_terms(n):
    """Return n summands of the zeroth-order gradient of the mode's accuracy."""
    u, _, rewards = perturbed_modes(n)
    return (rewards - accuracy_of_q)[:, None] * u / WIDE


def mode_terms_given_action(n):
    """Return the same with the expectation of u given the mode: a policy gradient."""
    _, actions, rewards = perturbed_modes(n)
    return (rewards - accuracy_of_q)[:, None] * policy.expected_directions(actions, WIDE) / WIDE


drawn = perturbed_modes(500_000)[1][:, 0].astype(int)
q = np.bincount(drawn, minlength=10) / len(drawn)
accuracy_of_q = q @ accuracy
exact_of_q = (q * accuracy) @ policy.expected_directions(np.arange(10.0)[:, None], WIDE) / WIDE

# %%
# Cosine similarity with the exact gradient, against the sample size
# ------------------------------------------------------------------

sizes = np.unique(np.geomspace(3, MOST, 25).astype(int))


def cosines(terms, target):
    """Return the similarity of the mean of the first n terms with the target, for each n."""
    sums = np.cumsum([terms(MOST) for _ in range(REPEATS)], axis=1)[:, sizes - 1]
    return sums @ target / np.linalg.norm(sums, axis=2) / np.linalg.norm(target)


panels = {
    "the softened objective": {
        "policy gradient": (policy_gradient_terms, exact, "tab:blue"),
        "zeroth order": (softened_terms, exact, "tab:orange"),
    },
    "the mode": {
        "policy gradient of $q$: $E[u|a]$": (mode_terms_given_action, exact_of_q, "tab:blue"),
        "zeroth order: $u$": (mode_terms, exact_of_q, "tab:orange"),
    },
}
curves = {
    (title, name): cosines(terms, target)
    for title, estimates in panels.items()
    for name, (terms, target, _) in estimates.items()
}
shown = [np.searchsorted(sizes, n) for n in (10, 100, 1000, 10_000)]
print(f"{'cosine similarity, mean of ' + str(REPEATS):<58}", *(f"{sizes[i]:>7}" for i in shown))
for (title, name), found in curves.items():
    print(f"{title + ', ' + name:<58}", *(f"{found[:, i].mean():7.3f}" for i in shown))

# %%
# All four reach the exact gradient, and the distance falls as one over the sample size, with
# no floor in sight. On the left, each value of the softened objective is a mean
# over all ten rewards; it can be evaluated here, and not in a search. On the right, one
# evaluation is one reward on both roads, and the one that knows what the reward cannot see of
# :math:`u` needs about a quarter of them.

if plt is not None:
    figure, axes = plt.subplots(
        2, 2, figsize=(10, 6.5), sharex=True, sharey="row", layout="constrained"
    )
    for column, (title, estimates) in enumerate(panels.items()):
        similarity, distance = axes[:, column]
        for name, (_, _, colour) in estimates.items():
            found = curves[title, name]
            low, high = np.quantile(found, [0.1, 0.9], axis=0)
            similarity.plot(sizes, found.mean(axis=0), color=colour, label=name)
            similarity.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
            distance.plot(sizes, 1 - found.mean(axis=0), color=colour)
            distance.fill_between(sizes, 1 - high, 1 - low, color=colour, alpha=0.15, linewidth=0)
        similarity.set(title=title, ylim=(0, 1.05))
        similarity.axhline(1, color="grey", linewidth=0.8)
        similarity.legend(loc="lower right")
        distance.set(xscale="log", yscale="log", xlabel="evaluations")
    axes[0, 0].set_ylabel("cosine similarity")
    axes[1, 0].set_ylabel("1 - cosine similarity")
    figure.suptitle("Estimates and the exact gradient: mean and central 80 %", fontsize="medium")
    plt.show()

# %%
# What a baseline is worth
# ------------------------
# Three problems: the list above, a smooth score of two numbers, and both together. For each
# estimate from batches of 20 the total variance is measured over 2,000 batches. It is shown in
# units of the variance without a baseline, whose inverse is how many times fewer candidates
# do as well. The mean and the optimal baseline are computed from the batch itself, as in a
# search; that also shrinks an estimate by about a twentieth, which is of no weight here.

BATCH, BATCHES = 20, 2000


def peak(actions):
    """Return a smooth score of two numbers, whose greatest value is 0.95 at (1, 0.5)."""
    distance = ((actions - [1.0, 0.5]) ** 2).sum(axis=1)
    return 0.7 + 0.25 * np.exp(-distance / 4)


numbers = PolicyGradientOptimizer({"x": uniform(), "y": uniform()}).policy
numbers = numbers.with_theta([0.2, -0.5, 0.0, -0.5])
both = PolicyGradientOptimizer({"x": uniform(), "y": uniform()} | space).policy
both = both.with_theta(np.concatenate([numbers.theta, policy.theta]))
problems = {
    "a list": (policy, lambda a: accuracy[a[:, 0].astype(int)]),
    "two numbers": (numbers, peak),
    "both": (both, lambda a: (peak(a[:, :2]) + accuracy[a[:, 2].astype(int)]) / 2),
}


def total_variance(rewards, factors, baselines):
    """Return the summed variance of the mean of (r - b) times the factors, over batches."""
    estimates = ((rewards - baselines)[:, :, None] * factors).mean(axis=1)
    return estimates.var(axis=0).sum()


def optimal(rewards, factors):
    """Return of each batch E[r |s|^2] / E[|s|^2]."""
    weights = (factors**2).sum(axis=2)
    return ((rewards * weights).sum(axis=1) / weights.sum(axis=1))[:, None]


def in_batches(array):
    """Return the rows in batches."""
    return array.reshape(BATCHES, BATCH, *array.shape[1:])


def of_policy_gradient(policy, reward):
    """Return the variance of the policy gradient with each baseline."""
    actions = policy.sample_actions(BATCHES * BATCH, rng)
    r, scores = in_batches(reward(actions)), in_batches(policy.grad_log_prob(actions))
    return {
        "none": total_variance(r, scores, 0.0),
        "mean": total_variance(r, scores, r.mean(axis=1, keepdims=True)),
        "optimal": total_variance(r, scores, optimal(r, scores)),
    }


def of_zeroth_order(policy, reward):
    """Return the variance of the zeroth-order gradient of the mode with each baseline."""

    def draws(u):
        actions = policy.perturbed_modes(WIDE * u)
        directions = policy.expected_directions(actions, WIDE) / WIDE
        return in_batches(reward(actions)), in_batches(directions)

    u = rng.standard_normal((BATCHES * BATCH, len(policy.theta)))
    opposite = np.stack([u[::2], -u[::2]], axis=1).reshape(u.shape)
    current = reward(policy.mode_action()[None])[0]
    r, directions = draws(u)
    return {
        "none": total_variance(r, directions, 0.0),
        "current value": total_variance(r, directions, current),
        "optimal": total_variance(r, directions, optimal(r, directions)),
        "current value,\nantithetic": total_variance(*draws(opposite), current),
    }


roads = {"policy gradient": of_policy_gradient, "zeroth order": of_zeroth_order}
variances = {
    (road, name): measure(*problem)
    for road, measure in roads.items()
    for name, problem in problems.items()
}
for road in roads:
    baselines = variances[road, "a list"]
    print(f"\n{road:<28}", *(f"{name:>12}" for name in problems))
    for baseline in baselines:
        saved = [variances[road, n][baseline] / variances[road, n]["none"] for n in problems]
        print(f"{baseline.replace(chr(10), ' '):<28}", *(f"{value:12.4f}" for value in saved))

# %%
# With scores between 0.7 and 0.95 (two numbers) nearly all of the noise comes from their common
# level, and any sensible constant takes it away: the mean gives the same precision with 180 times
# fewer candidates, the optimal baseline with 240 times fewer. The optimal one is the best
# everywhere, and the mean comes close. The current value is good where the reward changes
# little over a perturbation, as theory says; on the list it is not, since the mode, the
# shallowest tree, scores far below what is drawn.

if plt is not None:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axis, road in zip(axes, roads, strict=True):
        baselines = list(variances[road, "a list"])
        for marker, name in zip("os^", problems, strict=True):
            found = variances[road, name]
            saved = [found[baseline] / found["none"] for baseline in baselines]
            axis.plot(baselines, saved, marker, markersize=8, label=name)
        axis.set(yscale="log", title=road, xlabel="baseline")
        axis.grid(axis="y", alpha=0.4)
        axis.margins(x=0.15)
    axes[0].set_ylabel("variance, relative to no baseline")
    axes[1].legend(title="problem")
    plt.show()

# %%
# The size of the perturbation
# ----------------------------
# The zeroth-order gradient tends to the ordinary one as :math:`\epsilon \to 0`. Here is the
# score of two numbers again, whose gradient and whose smoothed gradient are known in closed
# form. The first panel is the error of the expectation, the second the root mean square error
# of estimates from 20 evaluations, both relative to the length of the gradient.

epsilons = np.geomspace(1e-3, 3, 12)
here = np.array([[0.2, 0.0]])


def smoothed_gradient(epsilon):
    """Return the gradient of the score convolved with a normal density."""
    offset, square = here - [1.0, 0.5], 2 + epsilon**2
    height = 0.25 * 2 / square * np.exp(-(offset**2).sum() / 2 / square)
    return -offset / square * height


slope = smoothed_gradient(0.0)


def relative_error(epsilon, antithetic, baseline):
    """Return the root mean square error over all batches."""
    u = rng.standard_normal((BATCHES, BATCH, 2))
    if antithetic:
        u = np.concatenate([u[:, ::2], -u[:, ::2]], axis=1)
    values = peak((here + epsilon * u).reshape(-1, 2)).reshape(BATCHES, BATCH)
    estimates = ((values - baseline)[:, :, None] * u / epsilon).mean(axis=1)
    return np.sqrt(((estimates - slope) ** 2).sum(axis=1).mean()) / np.linalg.norm(slope)


settings = {
    "no baseline": (False, 0.0),
    "current value": (False, peak(here)[0]),
    "antithetic": (True, 0.0),
}
found = {
    name: [relative_error(epsilon, *setting) for epsilon in epsilons]
    for name, setting in settings.items()
}
print(f"{'epsilon':<16}", *(f"{epsilon:8.3f}" for epsilon in epsilons[::3]))
for name, values in found.items():
    print(f"{name:<16}", *(f"{value:8.2f}" for value in values[::3]))

# %%
# The expectation errs by the square of :math:`\epsilon`. The noise does not become less with
# it: without a baseline it grows as :math:`1/\epsilon`, and with one it stays. Pairs of
# opposite perturbations spend two evaluations on one direction; they lose a little where the
# score is nearly linear and win where it is curved.

if plt is not None:
    figure, (expectation, estimate) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    errors = [
        np.linalg.norm(smoothed_gradient(e) - slope) / np.linalg.norm(slope) for e in epsilons
    ]
    expectation.plot(epsilons, errors, "ko-", markersize=4)
    for name, values in found.items():
        estimate.plot(epsilons, values, "o-", markersize=4, label=name)
    for axis, title in ((expectation, "the expectation"), (estimate, "20 evaluations")):
        axis.set(xscale="log", yscale="log", xlabel=r"$\epsilon$", title=title)
    expectation.set_ylabel("relative error")
    estimate.legend()
    plt.show()
