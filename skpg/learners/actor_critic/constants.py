"""The constants of the default learner, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skpg.learners.gradients import StepSizes


@dataclass(frozen=True, eq=False)
class Constants:
    """What `ActorCritic` does not let its user set.

    Each has its unit, and in brackets its evidence: "history" is the page "What was tried",
    with scores on 23 tuning tasks at 25, 50, 100 and 250 evaluations.

    Attributes
    ----------
    rank_share : float
        Share of the ranks' normal scores in the rewards that the critic learns from; the rest
        are robust z-scores. (History: .3 and .7 are -.016 and -.001 at 25; 1 is -.14 at 100.)
    refit_growth : float
        Factor of the number of rewards after which length scales are fitted again. (History:
        1.1 in place of 1.05 changed -.002, and costs less.)
    refit_steps : int
        L-BFGS iterations of such a fit with fewer than `few_rewards`; later half. (History:
        10 in place of 15 made no difference.)
    few_rewards : int
        Number of rewards. (Not measured.)
    rewards_per_step : int
        New rewards after which the policies take their steps. (History: after each one the trust
        region refuses most steps, the scores are the same, and a proposal costs a third more.)
    gradient_steps : int
        Natural-gradient steps of an update. (History: five long ones are as good as ten.)
    step_sizes : StepSizes
        Of those steps: means in standard deviations, their logarithms, probabilities. (Not
        measured apart from `gradient_steps`.)
    farthest : float
        Standard deviations from the mean at which virtual actions that are farther away count.
        (History: without, the trust region refuses most steps.)
    most_halvings : int
        Lengths that a step is tried at, each half of the one before, until it ends in the trust
        region. (Of 612 steps on ten tasks 187 end there at full length, 460 before the sixth.)
    virtual_actions : int
        Draws that a gradient step is estimated from. (History: as good as twice as many.)
    optimism : float
        Standard deviations that are added to the prediction of a virtual action. (1 to 3
        were as good in an earlier learner.)
    first_designs : int
        Stratified designs of which the best spread one is the first batch. (History: 20 rank
        .583 in place of .560; 100 are -.029 at 25.)
    screened : int
        Actions that a batch is picked from: two sevenths from the policy, one from the
        user's distributions, four near the best candidate, of which two are near the best
        one outside of the niches that were left, if any. (History: 280 are -.007, 140 -.020
        at 25; 700 no better.)
    finalists : int
        Of these, how many for each aim are compared jointly, beyond the size of the batch.
        (Not measured.)
    redraws : int
        Further draws where the user's constraint leaves too little of one: with 20 there are
        10,000 actions to pick from. (Not measured.)
    largest_grid : int
        Candidates of a finite space that are all screened. (Not measured.)
    perturbations : tuple of float
        Sizes of the steps from the best candidate, in standard deviations of the policy.
        (History: as good as fixed sizes.)
    edge : float
        Probability at which such steps stop short of the end of a distribution. (History:
        stopping there is +.02 at 25, 50 and 100.)
    refined : int
        One candidate of so many is the learner's recommendation. (History: no difference on
        tuning tasks, a smaller error on the toy problems.)
    elite : int
        Best candidates that a recommendation learns from. (Not measured.)
    recommendation_steps : tuple of float
        Sizes of the steps by which a recommendation is found, in standard deviations of the
        policy. (Not measured.)
    recommendation_refit_steps : int
        L-BFGS iterations of its critic. (Not measured.)
    turns : tuple of str
        What candidates are for, in turn, once a search has stalled. (History: +.050, standard
        error .021, at 250 over a search without.)
    step_contestants : int
        Random steps of which the critic picks one, and draws of which the farthest is taken in a
        part that was tried too little. (History: 2.5 in place of 1.7 hundredths
        won by a batch.)
    gain : float
        Robust standard deviations of the rewards that count as next to nothing. (Not
        measured.)
    explorer_patience : int
        Candidates that won next to nothing before the explorer starts again. (History: 20 or
        40 in place of 30 are .83 and .84 in place of .85 at 250. One detector of stalls for it
        and the niches leaves a deceptive hill in 2 of 6 searches, these in 4.)
    explorer_draws : int
        Draws of the explorer for each that is picked. (With 20 it is as good, with 2 not.)
    niche_patience : int
        Candidates that won next to nothing before a niche is left. (History: 20 to 60 make
        differences within two standard errors.)
    niche_correlation : float
        The critic's correlation with the best of a niche above which an action belongs to
        it. (History: .15, .3 and .5 differ within two standard errors.)
    most_niches : int
        Niches that are remembered. (Not measured.)
    tries_of_part : int
        Candidates of each part of a space, such as each dict of a list, in the opening and
        after it, before it may be left. (History: "Several dicts".)
    turns_of_part : int
        One candidate of so many belongs to the part that was tried least, as long as one was
        tried less often than that. (Not measured.)
    explained_ties : float
        Share of the ties that switches must explain; with fewer, ties are chance. (Not
        measured.)
    switched_at_once : int
        New hyperparameters that one tie may show: candidates that differ in many are seldom
        contradicted. (History: 3 are -.014 at 100; without limit, chance is believed.)
    transfer_opening : int
        Candidates that a search with earlier searches begins with. (History: 5 in place of 10
        are +.10 after ten.)
    transfer_believed : int
        Of these, how many the critics of the earlier searches choose. (Not measured.)
    transfer_doubt : int
        Candidates of which every second one is a draw of the user's distributions, after these
        five. (History: +.05 at 25, on related and on other data.)
    transfer_correlation : float
        The earlier critics' correlation above which two of these are alike. (History: .9 in
        place of .7 makes no difference.)
    transfer_noise : float
        Variance of the rewards around what earlier searches predict, on the critic's scale.
        (History: .2 in place of .5 makes no difference.)
    transfer_rewards : int
        Rewards after which an earlier search counts half. (History: 10, 20 and without limit
        are alike on related data; without limit other data mislead for long.)
    """

    rank_share: float = 0.5
    refit_growth: float = 1.1
    refit_steps: int = 10
    few_rewards: int = 60
    rewards_per_step: int = 10
    gradient_steps: int = 5
    step_sizes: StepSizes = field(default_factory=lambda: StepSizes(1.0, 0.6, 0.6))
    farthest: float = 3.0
    most_halvings: int = 6
    virtual_actions: int = 100
    optimism: float = 2.0
    first_designs: int = 20
    screened: int = 490
    finalists: int = 40
    redraws: int = 20
    largest_grid: int = 1000
    perturbations: tuple[float, ...] = (0.5, 0.2, 0.05)
    edge: float = 1e-3
    refined: int = 10
    elite: int = 50
    recommendation_steps: tuple[float, ...] = tuple((0.2 ** np.arange(1, 7)).tolist())
    recommendation_refit_steps: int = 5
    turns: tuple[str, ...] = (
        "best",
        "explore",
        "best",
        "niche",
        "best",
        "explore",
        "step",
        "explore",
    )
    step_contestants: int = 5
    gain: float = 0.01
    explorer_patience: int = 30
    explorer_draws: int = 5
    niche_patience: int = 40
    niche_correlation: float = 0.3
    most_niches: int = 10
    tries_of_part: int = 5
    turns_of_part: int = 3
    explained_ties: float = 0.5
    switched_at_once: int = 5
    transfer_opening: int = 5
    transfer_believed: int = 3
    transfer_doubt: int = 15
    transfer_correlation: float = 0.9
    transfer_noise: float = 0.5
    transfer_rewards: int = 10


CONSTANTS = Constants()
