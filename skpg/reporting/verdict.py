"""A search in words: from facts to sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skpg.evaluation.wording import STOP_REASONS, duration, score_text
from skpg.reporting.advice import advice_of
from skpg.reporting.facts import Facts
from skpg.reporting.sureness import sureness_sentences
from skpg.space.types import FloatArray


@dataclass(frozen=True)
class Verdict:
    """What a search has come to, in plain text.

    Attributes
    ----------
    headline : str
    findings : tuple of (str, str)
        A title of a few words, and sentences.
    advice : tuple of str
        What to do next.
    """

    headline: str
    findings: tuple[tuple[str, str], ...]
    advice: tuple[str, ...]


def verdict_of(facts: Facts) -> Verdict:
    """Return the verdict on a search."""
    titled: tuple[tuple[str, Callable[[Facts], str]], ...] = (
        ("Score", score_finding),
        ("Against the present settings", present_finding),
        ("On fresh splits", confirmation_finding),
        ("How sure the policy is", policy_finding),
        ("What racing saved", racing_finding),
        ("Why it stopped", stop_finding),
    )
    findings = ((title, finding(facts)) for title, finding in titled)
    return Verdict(
        headline(facts), tuple((t, text) for t, text in findings if text), tuple(advice_of(facts))
    )


def headline(facts: Facts) -> str:
    """Return the result in one line."""
    record = facts.record
    n = f"{len(record):,} candidate{'s' * (len(record) > 1)}"
    if record.best is None:
        return f"None of {n} has a score on every fold"
    return f"{metric_text(facts)} {score_text(best_score(facts))}, the best of {n}"


def metric_text(facts: Facts) -> str:
    """Return the name of the scores, at the begin of a line."""
    return "Score" if facts.record.metric == "score" else facts.record.metric


def best_score(facts: Facts) -> float:
    """Return the mean score of the best candidate, nan without one."""
    best = facts.record.best
    return float("nan") if best is None else float(facts.record.scores[best])


def score_finding(facts: Facts) -> str:
    """Say how the best candidate scored on the folds, and how many have no score."""
    record, best = facts.record, facts.record.best
    sentences = []
    if best is not None:
        folds = record.fold_scores[best]
        low, high, std = map(score_text, (folds.min(), folds.max(), folds.std()))
        what = "the only fold" if len(folds) == 1 else f"the mean of {len(folds)} folds"
        sentences.append(f"The best candidate scored {score_text(record.scores[best])}, {what}.")
        if len(folds) > 1:
            sentences.append(f"Its folds lie between {low} and {high}, standard deviation {std}.")
    if facts.corrected is not None and len(record) > 1:
        sentences.append(
            f"Without the luck of being the best of {len(record):,} it is about "
            f"{score_text(facts.corrected.score)}, by {facts.corrected.method}."
        )
    n_failed = int(record.failed.sum())
    if n_failed:
        sentences.append(f"{n_failed:,} of {len(record):,} candidates failed.")
    seconds = float(np.nansum(record.seconds))
    sentences.append(f"All fits and scores together took {duration(seconds)}.")
    return " ".join(sentences)


def present_finding(facts: Facts) -> str:
    """Compare the best candidate with the estimator as it is, on the same folds."""
    record, best, present = facts.record, facts.record.best, facts.present
    if facts.baseline is not None and best is not None:
        return _baseline_finding(facts, best)
    if present is None or best is None:
        return ""
    as_it_is = f"The estimator as it is ({facts.present_text})"
    if present == best:
        return f"{as_it_is} is the best candidate: no other one was better."
    if not record.complete[present]:
        return f"{as_it_is} has no score: it {record.statuses[present]}."
    gains = record.fold_scores[best] - record.fold_scores[present]
    gain, error = float(gains.mean()), standard_error(gains)
    text = (
        f"{as_it_is} scored {score_text(record.scores[present])}. The best candidate gains "
        f"{score_text(gain)}; it is better on {(gains > 0).sum()} of {len(gains)} folds and worse "
        f"on {(gains < 0).sum()}."
    )
    if len(gains) > 1 and gain <= 2 * error:
        text += (
            f" That is less than twice the standard error of the gain ({score_text(error)}), so it "
            "may be chance."
        )
    return text


def _baseline_finding(facts: Facts, best: int) -> str:
    """Compare the best candidate with the estimator exactly as it was passed."""
    baseline, folds, again = facts.baseline, facts.record.fold_scores[best], facts.confirmed
    assert baseline is not None
    if again is not None:  # both were evaluated on fresh folds as well
        place = np.flatnonzero(again["index"] == best)[0]
        fresh = [again[name][place] for name in again if name.startswith("split")]
        folds = np.concatenate([folds, fresh])
    gains, mean = folds - baseline.folds, float(folds.mean())
    text = (
        f"The best candidate: {score_text(mean)}, {baseline}. It is better on "
        f"{(gains > 0).sum()} of {len(gains)} folds and worse on {(gains < 0).sum()}."
    )
    if not baseline.beaten_by(mean):
        text += " That is not better by more than one standard error."
        if facts.settings.get("baseline") == "prefer":
            text += " So the best estimator is the one that was passed."
    return text


def confirmation_finding(facts: Facts) -> str:
    """Say what the best candidates scored when they were evaluated again."""
    found, best = facts.confirmed, facts.record.best
    if found is None or best is None:
        return ""
    n_folds = sum(name.startswith("split") for name in found)
    place = int(np.flatnonzero(found["index"] == best)[0])
    return (
        f"The {len(found['index'])} best candidates were evaluated again on {n_folds} fresh folds. "
        f"Number {best + 1:,} is the best over all folds, with "
        f"{score_text(found['pooled_mean_test_score'][place])}; on the fresh ones it scored "
        f"{score_text(found['mean_test_score'][place])}."
    )


def standard_error(gains: FloatArray) -> float:
    r"""Return the standard error of the mean of differences on the folds of a cross-validation.

    .. math:: \sqrt{\left(\tfrac{1}{k} + \tfrac{1}{k - 1}\right) s^2}

    with the variance :math:`s^2` of the `k` differences: the correction for training sets that
    overlap [1]_, with the share of test samples of `k` folds.

    Parameters
    ----------
    gains : ndarray of shape (k,)

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning
       52, 2003. doi:10.1023/A:1024068626366
    """
    k = len(gains)
    if k < 2:
        return 0.0
    return float(np.sqrt((1 / k + 1 / (k - 1)) * gains.var(ddof=1)))


def policy_finding(facts: Facts) -> str:
    """Say how sure the policy is of each hyperparameter."""
    return "" if facts.policy is None else " ".join(sureness_sentences(facts.policy))


def racing_finding(facts: Facts) -> str:
    """Say how many fits were left out."""
    record = facts.record
    total = len(record) * record.n_folds
    saved = total - int(record.n_fits.sum())
    if not saved:
        return ""
    return (
        f"{saved:,} of {total:,} fits ({100 * saved / total:.0f} %) were left out, of the "
        f"{int(record.raced.sum()):,} candidates that could no longer become the best."
    )


def stop_finding(facts: Facts) -> str:
    """Say why the search ended, and when it found the best candidate."""
    record, best = facts.record, facts.record.best
    sentences = []
    if facts.stop_reason is not None:
        reason = STOP_REASONS.get(facts.stop_reason, facts.stop_reason)
        sentences.append(f"It stopped because {reason}.")
    if best is not None and len(record) > 1:
        after = len(record) - 1 - best
        last = "no candidate came after it" if not after else f"{after:,} came after it"
        sentences.append(f"The best candidate was number {best + 1:,}; {last}.")
    return " ".join(sentences)
