"""How sure a policy is of each hyperparameter, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.policy.policy import INTERVAL, Policy
from skpg.space.dimensions import Branch, Choice
from skpg.space.wording import value_text

# By the share of the values that is still open, the words of a sentence about the policy.
DEGREES = ((0.15, "It is sure of"), (0.5, "It has narrowed"), (0.85, "It leans to"))
UNDECIDED = "It is undecided about"
# Characters of a choice.
LONGEST_CHOICE = 30


@dataclass(frozen=True)
class Sureness:
    """What the policy says about one hyperparameter.

    Attributes
    ----------
    name : str
    column : int
        In the space.
    open_share : float
        How much of the hyperparameter is still open: 1 at the start, and 0 when only one value is
        left. Of a distribution it is ``exp(H - H0)`` with the entropy now and at the start, the
        standard deviation in probit space; of a list ``(exp(H) - 1) / (exp(H0) - 1)``, where
        ``exp(H)`` is the number of equally likely choices that have the same entropy.
    values : str
        What is most probable: a choice and its probability, or the central 80 %.
    """

    name: str
    column: int
    open_share: float
    values: str

    @property
    def words(self) -> str:
        """The begin of a sentence about it."""
        return next((words for most, words in DEGREES if self.open_share < most), UNDECIDED)


def surenesses(policy: Policy) -> list[Sureness]:
    """Return what a policy says about each hyperparameter that has more than one value.

    Of several branches those of the most probable one, and the branch itself.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skpg import Policy, Space
    >>> from skpg.reporting.sureness import surenesses
    >>> policy = Policy.prior(Space({"alpha": uniform(0, 1), "solver": ["svd", "cholesky"]}))
    >>> surenesses(policy)[0]
    Sureness(name='alpha', column=0, open_share=1.0, values='0.1 to 0.9')
    >>> surenesses(policy)[1].words
    'It is undecided about'
    """
    space, prior = policy.space, Policy.prior(policy.space)
    branch = int(np.argmax(policy.actors[0].theta)) if space.branches > 1 else 0
    columns = [j for j in space.columns[branch] if space.dimensions[j].size > 1]
    if space.branches > 1:
        columns = [0, *columns]
    return [_sureness(policy, prior, j) for j in columns]


def sureness_sentences(policy: Policy) -> list[str]:
    """Return a sentence for each degree to which the policy is sure of some hyperparameters."""
    found = surenesses(policy)
    sentences = []
    for words in (*(words for _, words in DEGREES), UNDECIDED):
        alike = [s for s in found if s.words == words]
        shown = [s.name if words == UNDECIDED else f"{s.name} ({s.values})" for s in alike]
        if shown:
            sentences.append(f"{words} {', '.join(shown)}.")
    return sentences


def _sureness(policy: Policy, prior: Policy, column: int) -> Sureness:
    dimension, actor = policy.space.dimensions[column], policy.actors[column]
    before, now = prior.actors[column].entropy(), actor.entropy()
    if isinstance(actor, GaussianActor):
        spread = actor.mu + actor.sigma * np.array([-INTERVAL, INTERVAL])
        low, high = map(value_text, dimension.values(dimension.resolve(spread)))
        values = low if low == high else f"{low} to {high}"
        return Sureness(dimension.name, column, float(np.exp(now - before)), values)
    assert isinstance(actor, CategoricalActor)
    assert isinstance(dimension, Choice)
    k = int(actor.mode())
    is_branch = isinstance(dimension, Branch)
    choice = dimension.choices[k]
    text = policy.space.branch_labels[k] if is_branch else value_text(choice, LONGEST_CHOICE)
    share = float((np.exp(now) - 1) / (np.exp(before) - 1))
    name = "the dict of the list" if is_branch else dimension.name
    return Sureness(name, column, share, f"{text}, {100 * actor.probabilities[k]:.0f} %")
