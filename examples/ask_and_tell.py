"""
Ask and tell: an objective of your own
======================================

:class:`~skpg.PolicyGradientOptimizer` is the engine of the search without cross-validation:
it proposes candidates and learns from rewards. Where the rewards come from is up to you: a
simulation, a laboratory, a cluster, a metric that no scorer computes.

The objective here is a controller. A pendulum starts near its highest point and has to be held
there by a motor against a steady draught. If it falls, the reward is the time that was missing;
if it stands, the distance from the top and the effort, both negative. Some settings make the
simulation diverge: those evaluations *fail*, and are told as ``nan``.
"""

import math

from scipy.stats import loguniform, uniform

from skpg import PolicyGradientOptimizer

STEP = 0.02  # seconds
HORIZON = 10.0


def hold_upright(params):
    """Return the reward of a controller; raise FloatingPointError if the simulation diverges."""
    angle, speed, integral, cost = 0.3, 0.0, 0.0, 0.0
    for k in range(int(HORIZON / STEP)):
        push = params["gain"] * angle + params["damping"] * speed
        if params["mode"] == "with integral":
            integral += angle * STEP
            push += params["integral"] * integral
        if params["limit"] is not None:
            push = max(-params["limit"], min(params["limit"], push))
        speed += STEP * (9.81 * math.sin(angle) - push + 1.0)  # 1.0: a steady draught
        angle += STEP * speed
        if abs(speed) > 5:
            raise FloatingPointError(f"the simulation diverged after {k * STEP:.2f} s")
        if abs(angle) > math.pi / 2:
            return k * STEP - HORIZON  # it fell: the earlier, the worse
        cost += STEP * (angle**2 + 1e-4 * push**2)
    return -cost  # it stands: close to the top, with little effort


# %%
# The loop
# --------
# ``ask(n)`` returns at most ``n`` new candidates, ``tell`` takes them back with their rewards.
# Higher is better. ``nan`` says that a candidate failed and is learned from as the worst; there
# is no need to invent a penalty.

space = {
    "gain": loguniform(1, 1e4),
    "damping": loguniform(1e-1, 1e3),
    "mode": ["plain", "with integral"],
    "integral": uniform(0, 50),
    "limit": [None, 5, 10, 20],
}
optimizer = PolicyGradientOptimizer(space, random_state=0)

print("batch  failed  best of batch  best so far  entropy")
best_reward, best_params = -math.inf, None
for batch in range(20):
    candidates = optimizer.ask(10)
    rewards = []
    for params in candidates:
        try:
            reward = hold_upright(params)
        except FloatingPointError:
            reward = math.nan
        if reward > best_reward:
            best_reward, best_params = reward, params
        rewards.append(reward)
    optimizer.tell(candidates, rewards)
    finite = [reward for reward in rewards if not math.isnan(reward)]
    print(
        f"{batch:>5}  {len(rewards) - len(finite):>6}  {max(finite, default=math.nan):>13.4f}"
        f"  {best_reward:>11.4f}  {optimizer.policy.entropy():>7.2f}"
    )

# %%
# The answer
# ----------
# ``recommend()`` is the policy's own estimate. It uses all rewards and need not have been
# evaluated, so evaluate it once more and keep the better one.

recommended = optimizer.recommend()
print("best evaluated:", f"{best_reward:.4f}", best_params)
print("recommended:   ", f"{hold_upright(recommended):.4f}", recommended)
print(optimizer.policy)

# %%
# Asking is not bound to telling
# ------------------------------
# Candidates may be told one at a time, in any order, and ones that were never asked may be told
# as well, such as results that you have from before. ``enqueue`` puts candidates of your own in
# front of the queue.

optimizer = PolicyGradientOptimizer(space, random_state=0)
known = {"gain": 30.0, "damping": 5.0, "mode": "plain", "integral": 0.0, "limit": None}
optimizer.tell([known], [hold_upright(known)])
optimizer.enqueue([known | {"gain": 60.0}])
first, second = optimizer.ask(2)
optimizer.tell([second], [math.nan])
optimizer.tell([first], [hold_upright(first)])
print(first)
print(optimizer.memory.rewards)
