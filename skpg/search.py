"""The search: scikit-learn's protocol around ask and tell."""

from __future__ import annotations

import copy
import numbers
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skpg.evaluation.call_stack import is_nested, warn
from skpg.evaluation.callbacks import watching
from skpg.evaluation.cross_validation import cross_validation
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import BaseSearchCV, Interval, StrOptions
from skpg.evaluation.task_tree import TaskTree
from skpg.learners import Learner
from skpg.optimizer import PolicyGradientOptimizer
from skpg.preparation import PreparedSearch
from skpg.storage.fingerprint import note_changes
from skpg.warm_start import has_scores
from skpg.winner.conclusion import BESIDE, Conclusion
from skpg.winner.correction import corrected_by
from skpg.winner.ensemble import Ensemble


class PolicyGradientSearchCV(BaseSearchCV):
    """Search of hyperparameters that learns where to look from the scores it has seen.

    A drop-in replacement for :class:`~sklearn.model_selection.RandomizedSearchCV`. Each list
    of choices becomes a categorical actor, each `scipy.stats` distribution a Gaussian
    actor; together they are a *policy*, a distribution over candidates that starts as the
    user's own. The search draws candidates from the policy, cross-validates them in parallel,
    moves the policy along a gradient towards what scored well, and repeats until `n_iter`
    candidates are evaluated. Candidates are never repeated. By default four candidates are in
    flight: the search learns from each one, and then the next is drawn.

    After `initial_params` the search evaluates the estimator as it is: the present value of each
    hyperparameter where it lies in the space, and the median where it does not. Where no present
    value lies in the space there is no such candidate.

    The arguments, by what they are for:

    - what is searched: `estimator`, `param_distributions`, `initial_params`, `warm_start_from`,
      `constraint`;
    - how candidates are scored: `scoring`, `cv`, `error_score`, `return_train_score`, `racing`,
      `racing_bound`;
    - how the search learns: `learner`, `batch_size`, `evaluation`, `random_state`;
    - when it ends: `n_iter`, `timeout`, `target_score`, `patience`, `candidate_timeout`;
    - what is made of the candidates: `refit`, `final`, `baseline`, `confirm`, `confirm_cv`, `keep`;
    - how it runs, and is seen to run: `n_jobs`, `pre_dispatch`, `verbose`, `callbacks`, `storage`,
      `study_name`.

    Parameters
    ----------
    estimator : estimator object
        Any scikit-learn estimator or pipeline. Either it provides a ``score`` method or
        `scoring` must be passed.

    param_distributions : dict or list of dicts
        Names of hyperparameters (`str`) to

        - lists (tuples, arrays) of choices, which may be any objects: numbers, strings,
          None, tuples, functions, estimators. A value listed twice is twice as likely at
          the start. :class:`Categorical` gives them probabilities, :class:`Ordinal` an order.
        - frozen distributions of `scipy.stats`, continuous or discrete, such as
          ``loguniform(1e-4, 1e2)`` or ``randint(1, 31)``, :func:`logrange`, and other objects
          with the method ``rvs(random_state=...)``, best with ``ppf``. Values are int where
          ``rvs`` draws integers.

        Of a list of dicts each candidate belongs to one.

    n_iter : int, default=100
        Number of candidates, at least 1. The search stops earlier when a finite space has
        no others. The first candidates do not depend on it.

    batch_size : int, default=None
        Number of candidates in flight, at least 1: in batches the number between two updates
        of the policy, with ``evaluation="stream"`` the number that are proposed and not yet
        learned from, with ``"async"`` without effect. None is 4 in a stream, and 10 in
        batches. In a stream choose the number of workers divided by the number of folds, or
        a little more; in batches several times that. It is independent of `n_jobs`, so that
        results are as well.

    learner : Learner, default=None
        The rule that improves the policy, from :mod:`skpg.learners`. None is
        ``ActorCritic()``. `evaluation` tells how others are evaluated.

    initial_params : list of dicts, or known scores, default=None
        Of a list of dicts the candidates to evaluate first, with values that lie in the space.
        What a dict does not name has the present value of the estimator where that lies in the
        space, and is drawn where not. Values reach the estimator as the space has them: 15.0 as
        15 where there are integers only.

        Known scores, of an earlier search on the same data, are learned from without any fit: a
        fitted search (of scikit-learn or skpg), its ``cv_results_`` as a dict or DataFrame, a
        study of :func:`load_study`, an Optuna study, or a tuple of a list of params and a list of
        scores. Candidates that do not lie in the space, or break `constraint`, are left out. The
        best one is evaluated again, as the first candidate; the others never are.

    warm_start_from : list, default=None
        Earlier searches of the same or a similar space on other data, of the same kinds as known
        scores: what they tell about where to look. Each must have at least two candidates with
        a score in the space. Needs a learner with ``uses_earlier``, such as `ActorCritic`.

    constraint : callable, default=None
        From a candidate, a dict from names to values, to True if it may be evaluated, or False.
        Others are never evaluated; one in `initial_params` is an error, and so is a constraint
        that refuses all of 10,000 draws or all candidates of a finite space, or raises an error,
        or returns anything but a bool. Where it fails only later, the candidate counts as
        refused, with a warning. `policy_` does not know it.

    scoring : str, callable, list, tuple or dict, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`. With several metrics
        the policy learns from the one that `refit` names; where `refit` is a callable or
        False, from the first.

    n_jobs : int, default=None
        Number of fits that run in parallel; -1 for all processors. The results are the
        same for any value and any joblib backend.

    refit : bool, str or callable, default=True
        Refit the estimator with the best hyperparameters on all data. A str names the
        metric that counts, with several metrics; a callable receives ``cv_results_`` and
        returns the ``best_index_``. Candidates without a score on each fold, because one
        failed or was left out by `racing`, are not among those that it receives, unless there
        are no others; its index is that in what it receives.

    cv : int, cross-validation generator or iterable, default=None
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`. The splits are drawn
        once per `fit`: all candidates meet the same folds, also with a splitter that
        shuffles.

    verbose : int, default=0
        The higher, the more messages.

        - >=1: the number of fits, the score of the estimator as it is, and a line for each batch
          or for ten candidates: how many are done, the best one, and about how many seconds are
          left. On a terminal that is one line, which is written anew with each candidate;
        - >=2: the time of each fit;
        - >=3: its fold and score;
        - >=10: the number of the candidate, and a message when a fit starts.

    pre_dispatch : int or str, default='2*n_jobs'
        Has no effect on the loky, threading and dask backends nor without parallel jobs, where
        each worker has one fit at a time. On others, which take whole batches, the number of
        fits that are dispatched at once, as in
        :class:`~sklearn.model_selection.RandomizedSearchCV`.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same candidates in each run. numpy's global random state is
        never used.

    error_score : 'raise' or numeric, default=np.nan
        What ``cv_results_`` shows as the score of a fit that fails, or cannot be scored. Even
        where it is a number, the policy learns from the failure as from the worst score, and
        the candidate ranks after all that have a score on each fold: it is never the best
        unless all candidates failed. With 'raise' the first failure ends the search with its
        error. A search fails only if all of its fits do.

    return_train_score : bool, default=False
        Whether ``cv_results_`` has training scores.

    racing : bool or 'optimistic', default=False
        Leave out the folds of candidates that cannot become the best.

        - True: a candidate ends once its mean could not exceed the best one's even if its
          other folds had the greatest score there is. The best candidate is the same as
          without racing.
        - 'optimistic': once it could not even if all other folds were two standard deviations
          of the best one's folds above its best so far, or above the best one by more than
          its greatest lead so far. Saves more, and may lose the best.

        Candidates that lost have nan for the folds that were left out, rank last and are
        never chosen; the policy learns from how they compare with others on the same folds.

    racing_bound : float, default=None
        The greatest score that a fold can have. None is known for the metrics of
        scikit-learn, also as the ``score`` method of an estimator, and must be set for others
        if ``racing=True``. What an estimator scores with may be a matter of its own
        `scoring`, as that of an inner search is, or of its last step; all that candidates can
        make of it must be known.

    evaluation : {'auto', 'batch', 'stream', 'async'}, default='auto'
        - 'auto': 'stream' with 4 candidates in flight where `batch_size` is None and the
          learner is the default one, `ActorCritic`. Where `batch_size` is a number, or the
          learner one that learns from batches, such as `Reinforce`, `ZerothOrder`,
          `NaturalGradient` and a learner of your own, it is 'batch'. A learner of your own is
          evaluated in a stream if it has the attribute `in_flight`, a number of candidates.
        - 'batch': the policy is updated when all candidates of a batch are finished. The
          results are the same for any `n_jobs`.
        - 'stream': it is updated with each candidate, in the order in which they were proposed,
          and then proposes the next one, so that `batch_size` candidates are in flight. Workers
          wait only if a candidate takes longer than all others in flight together. The results
          are the same for any `n_jobs`.
        - 'async': it is updated with each candidate that is finished, and proposes one as
          soon as a worker is free. No worker waits, and no two runs are the same. Needs
          the loky, threading or dask backend; with others it warns and works in batches of
          `batch_size`.

    timeout : float, default=None
        Seconds after which no fit is started, from the first one on: what `storage` has kept
        of an earlier run does not count. Those that run go on to their ends, unless
        `candidate_timeout` ends them. At least one candidate is evaluated.

    target_score : float, default=None
        Stop at the first candidate with this mean score.

    patience : int, default=None
        Stop after so many candidates without a better one.

    candidate_timeout : float, default=None
        Seconds that the fits of one candidate may run together. Of a candidate that needs more,
        the fold with which the sum exceeds it and those after it get `error_score`, also where
        they were run in parallel: which folds are in time does not depend on `n_jobs`, but for
        how long each takes. In this process and in loky's workers a signal ends it, and a
        worker that does not react within a second is replaced, as workers of dask are. In
        threads, and in this process for code that does not return to Python, the limit
        holds only when the fit next runs a Python instruction.

    callbacks : list of callables, default=None
        Each is called in this process after each candidate, in their order, with an object
        that has the attributes ``params``, ``score``, ``n_candidates``, ``n_iter``,
        ``best_params``, ``best_score``, ``n_since_best``, ``elapsed``, ``status``,
        ``fold_scores``, ``seconds`` and ``replayed``. The search stops if it returns True, of
        Python or of numpy; any other answer, also one that is true as a string is, does nothing.
        One that has the methods ``on_search_begin(search)`` and ``on_search_end(search, error)``
        is told of them as well; `error` is None where `fit` succeeds.

    storage : str or path-like, default=None
        A sqlite database, as a path or ``"sqlite:///"`` and a path, in which each finished fit
        is kept; made where there is none. A search that was killed, or ended in any other
        way, goes on where it ended when `fit` is called again with the same data and
        settings, and has the same results as if it had not ended. `n_iter`, the limits of
        time and score, `callbacks` and `n_jobs` may change; so a larger `n_iter` continues a
        finished search.

    study_name : str, default=None
        The name of the search in the storage. None finds it by a fingerprint of the data and
        settings: one storage may hold any number of searches, such as those of a nested
        cross-validation. A study of this name that was recorded with other data or settings
        is refused with a `StorageError` that tells what has changed.

    final : {'refit', 'committee'} or Ensemble, default='refit'
        What ``best_estimator_`` is, of classifiers and regressors with one output.

        - 'refit': the estimator with the best hyperparameters, fitted to all data.
        - 'committee': the average of its models of the folds, a :class:`CommitteeClassifier` or
          :class:`CommitteeRegressor`. Takes a fit for each fold, unless ``keep="estimators"``.
        - :class:`Ensemble`: the average of several candidates, those that together predict best
          what their models were not fitted to. Takes a fit for each fold of each one.

        ``best_index_``, ``best_params_`` and ``best_score_`` are those of the best candidate in
        any case. Splits that are ordered in time are refused.

    baseline : bool or 'prefer', default=False
        Evaluate the estimator exactly as it was passed, on the same folds, before all candidates.
        The result is in ``baseline_scores_``, and a warning says so if the best candidate is not
        better by more than one standard error of the mean of these. With 'prefer',
        ``best_estimator_`` is then the estimator as it was passed, or its committee. Its fits are
        not counted in `n_iter`; with `confirm` it is evaluated on the fresh splits as well.

    confirm : tuple of two ints (k, r), default=None
        Evaluate the `k` best candidates again on `r` fresh splits, which `cv` draws with other
        seeds, shuffled; of candidates with the same score on each fold only the first. The best
        one is then the one with the best mean of all folds, old and new. As many fits as these
        candidates take are left out of the search: it has ``n_iter - k * r`` candidates. A search
        that ends by `timeout`, a callback or Ctrl-C ends without, or with as many splits as all
        `k` candidates have finished; a warning says so after `timeout`. Not with a callable
        `refit`.

    confirm_cv : int, cross-validation generator or iterable, default=None
        Other splits for `confirm`, where `cv` cannot draw fresh ones, as of time series,
        predefined splits and iterables.

    keep : {'predictions', 'estimators'}, default=None
        What to keep of the models of the folds, of classifiers and regressors with one output.

        - 'predictions': what each says of the rows that it was not fitted to, as
          ``oof_predictions_``; `storage` keeps them as well. An `Ensemble` asks for them by itself.
          Needs a `scoring` of predictions alone. More than 1 GiB are not kept in memory: those of
          the worst candidates are left out.
        - 'estimators': in addition the models of the ten best candidates, as
          ``fold_estimators_``. A storage does not have them; those of an earlier run are fitted
          again.

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As in :class:`~sklearn.model_selection.RandomizedSearchCV`: one entry per candidate,
        in the order of evaluation, in each of ``params``, ``param_*``,
        ``split*_test_score``, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``mean_fit_time``, ``std_fit_time``, ``mean_score_time``,
        ``std_score_time`` and, on request, their ``train`` counterparts. In addition
        ``iter``, the update of the policy that a candidate belongs to, from 0; with
        `racing` also ``n_folds_evaluated``. Candidates without a score on each fold, because
        one failed or was left out by `racing`, share the last rank.

    best_estimator_ : estimator
        The estimator with the best hyperparameters, refitted on all data, or what `final` and
        `baseline` ask for. Not available if ``refit=False``.

    best_score_ : float
        Mean cross-validated score of the best candidate, on the splits of `cv`. Not available if
        `refit` is a callable, nor with several metrics if ``refit=False``.

    best_params_ : dict
        The best candidate. Not available with several metrics if ``refit=False``.

    best_index_ : int
        Its index in the arrays of ``cv_results_``. Not available with several metrics if
        ``refit=False``.

    policy_ : Policy
        The policy after the last update. Printed, it shows one row per hyperparameter;
        ``policy_.mode()`` is its most probable candidate, ``policy_.sample(n)`` draws
        others, ``policy_.entropy()`` tells how much is undecided.

    history_ : list of dicts
        One record per update of the policy: ``iter``, ``n_candidates`` (evaluated so far),
        ``mean_reward`` and ``best_reward`` of the candidates of the update, a batch or one,
        ``best_so_far``, ``entropy`` of the policy in nats after the update.

    stop_reason_ : str
        ``"n_iter"``, ``"timeout"``, ``"target_score"``, ``"patience"``, ``"callback"``,
        ``"interrupted"`` by Ctrl-C, or ``"exhausted"`` when a finite space had no other
        candidates, or `constraint` allowed none of those that were drawn.

    n_fits_ : int
        Number of fits in cross-validation: of the candidates in ``cv_results_``, of `baseline`
        and of `confirm`.

    corrected_score_ : CorrectedScore
        ``best_score_`` without the luck of having been chosen, with the attributes ``score``,
        ``bias``, ``method`` and ``interval``; see :func:`corrected_score`. By BBC-CV where
        predictions are kept and have the scores of the models, otherwise by the scores of the
        folds. Computed when it is first asked for. Not available if `refit` is a callable.

    baseline_scores_ : ndarray of shape (n_folds,), or dict of such
        The scores of the estimator as it was passed, on the folds of `cv`, and with `confirm` then
        on the fresh ones; with several metrics by their names. Present only with `baseline`.

    beats_baseline_ : bool
        Whether the best candidate is better by more than one standard error. Present only with
        `baseline`.

    confirm_results_ : dict of arrays
        A table of the candidates that were evaluated again, the best by the search first:
        ``index`` in ``cv_results_``, ``params``, ``split*_test_score`` of the fresh folds, their
        ``mean_test_score`` and ``std_test_score``, ``pooled_mean_test_score`` over the fresh folds
        and those of the search, and ``rank_test_score`` by the latter. Present only with `confirm`.

    oof_predictions_ : ndarray of float32, (n_candidates, n_samples[, n_classes])
        What each candidate predicts of each sample by a model that was not fitted to it: numbers,
        or the votes of a committee for each class, which are its probabilities where the
        estimator has ``predict_proba`` and its labels follow them. The mean where a sample was
        tested several times, nan where never, and for candidates without a score on each fold.
        Present only if predictions are kept.

    fold_estimators_ : dict of int to list of n_splits estimators
        By the index of a candidate its models. Present only with ``keep="estimators"``.

    scorer_ : function or a dict
        Scorer function, or one per metric.

    n_splits_ : int
        The number of cross-validation splits.

    refit_time_ : float
        Seconds used for refitting. Present only if `refit` is not False.

    multimetric_ : bool
        Whether the scorers compute several metrics.

    classes_ : ndarray of shape (n_classes,)
        The class labels. Present only if the estimator is a classifier and `refit` is not
        False.

    n_features_in_ : int
        Number of features seen during `fit`. Present only if the refitted estimator knows it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`. Present only if the refitted estimator knows
        them.

    See Also
    --------
    PolicyGradientOptimizer : The same search as ask and tell, for any objective.
    sklearn.model_selection.RandomizedSearchCV : Draws candidates without learning.
    sklearn.model_selection.GridSearchCV : Tries all candidates of a grid.

    Notes
    -----
    Rewards are the mean scores over the folds. A batch in which every fit fails does not
    end the search.

    Ctrl-C ends the search when the running fits are done: all finished candidates are kept,
    and the best is refitted. A second Ctrl-C, or one before any candidate is finished,
    raises KeyboardInterrupt. Where the refit fails or is interrupted, ``cv_results_``,
    ``best_params_`` and ``policy_`` are there nevertheless.

    Inside another fit that goes on with others, such as a nested cross-validation, Ctrl-C ends
    all of them: KeyboardInterrupt is raised at once. Where the outer fit is a
    `PolicyGradientSearchCV`, that one ends as above, when the inner searches that run are done.

    A candidate whose fit kills its worker process is run once more, alone. If it kills again
    its score is `error_score`, and a warning names it.

    With `storage`, ``random_state=None`` draws a seed when the study is made, and keeps it. Two
    searches cannot run on one study at the same time; the second raises `StudyInUseError`.

    References
    ----------
    .. [1] R. J. Williams, "Simple statistical gradient-following algorithms for
       connectionist reinforcement learning", Machine Learning 8, 1992.
       doi:10.1007/BF00992696
    .. [2] Y. Ollivier et al., "Information-geometric optimization algorithms", JMLR 18,
       2017.
    .. [3] F. Odom, "Hyperparameter tuning with policy gradients", 2020.

    Examples
    --------
    >>> from scipy.stats import randint
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skpg import PolicyGradientSearchCV
    >>> X, y = load_wine(return_X_y=True)
    >>> space = {
    ...     "n_neighbors": randint(1, 31),
    ...     "weights": ["uniform", "distance"],
    ...     "p": [1, 2, 3],
    ... }
    >>> search = PolicyGradientSearchCV(
    ...     KNeighborsClassifier(), space, n_iter=50, random_state=0
    ... ).fit(X, y)
    >>> search.best_params_["p"]
    1
    >>> bool(search.best_score_ > 0.75)
    True
    >>> search.stop_reason_
    'n_iter'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "batch_size": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "learner": [Learner, None],
        "initial_params": "no_validation",  # by `_run_search`, which reads it
        "warm_start_from": [list, tuple, None],
        "constraint": [callable, None],
        "random_state": ["random_state"],
        "racing": ["boolean", StrOptions({"optimistic"})],
        "racing_bound": [Interval(numbers.Real, None, None, closed="neither"), None],
        "evaluation": [StrOptions({"auto", "batch", "stream", "async"})],
        "timeout": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "target_score": [Interval(numbers.Real, None, None, closed="neither"), None],
        "patience": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "candidate_timeout": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "callbacks": [list, tuple, None],
        "storage": [str, os.PathLike, None],
        "study_name": [str, None],
        "final": [StrOptions({"refit", "committee"}), Ensemble],
        "baseline": ["boolean", StrOptions({"prefer"})],
        "confirm": "no_validation",  # by `Confirmation.of`
        "confirm_cv": ["cv_object"],
        "keep": [StrOptions({"predictions", "estimators"}), None],
    }

    # scikit-learn's HTML representation links to the documentation of a class by these
    _doc_link_module = "skpg"
    _doc_link_template = (
        "https://skpg.readthedocs.io/en/latest/generated/{estimator_module}.{estimator_name}.html"
    )

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=100,
        batch_size=None,
        learner=None,
        initial_params=None,
        warm_start_from=None,
        constraint=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        racing=False,
        racing_bound=None,
        evaluation="auto",
        timeout=None,
        target_score=None,
        patience=None,
        candidate_timeout=None,
        callbacks=None,
        storage=None,
        study_name=None,
        final="refit",
        baseline=False,
        confirm=None,
        confirm_cv=None,
        keep=None,
    ):
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.batch_size = batch_size
        self.learner = learner
        self.initial_params = initial_params
        self.warm_start_from = warm_start_from
        self.constraint = constraint
        self.random_state = random_state
        self.racing = racing
        self.racing_bound = racing_bound
        self.evaluation = evaluation
        self.timeout = timeout
        self.target_score = target_score
        self.patience = patience
        self.candidate_timeout = candidate_timeout
        self.callbacks = callbacks
        self.storage = storage
        self.study_name = study_name
        self.final = final
        self.baseline = baseline
        self.confirm = confirm
        self.confirm_cv = confirm_cv
        self.keep = keep
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    def fit(self, X, y=None, **params):
        """Search, and refit the best candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training vectors; a precomputed kernel or distance matrix where the estimator
            expects one.

        y : array-like of shape (n_samples, n_output) or (n_samples,), default=None
            Target relative to X; None for unsupervised learning.

        **params : dict of str -> object
            Parameters passed to the ``fit`` method of the estimator, the scorer, and the
            splitter, as in :class:`~sklearn.model_selection.RandomizedSearchCV`.

        Returns
        -------
        self : object
            The fitted search.
        """
        self._validate_params()  # callbacks must not hear of a search that cannot begin
        for callback in self.callbacks or ():
            if not callable(callback):
                raise TypeError(
                    "The 'callbacks' parameter of PolicyGradientSearchCV must be a list of "
                    f"callables. Got {callback!r} in it."
                )
        for name in (*BESIDE, "_corrected_score", "_targets", "_baseline"):
            self.__dict__.pop(name, None)  # of an earlier fit
        try:
            with watching(self, self.callbacks):
                super().fit(X, y, **params)
                self.__dict__.update(self._conclusion.models)
                self._compare_with_baseline()
        finally:
            self.__dict__.pop("_conclusion", None)  # it has the data
            recognised_by = self.__dict__.pop("_recognised_by", None)
            if recognised_by is not None:
                path, parts = recognised_by
                note_changes(path, parts, SearchSettings.of(self), params)
        return self

    @property
    def corrected_score_(self):
        """The best score without the luck of having been chosen; computed when first asked for."""
        known = self.__dict__.get("_corrected_score")
        if known is None:
            check_is_fitted(self, "stop_reason_")
            try:
                known = corrected_by(self, self.__dict__.get("_targets"), self._seed)
            except ValueError as error:
                raise AttributeError(f"There is no corrected_score_. {error}") from error
            self._corrected_score = known
        return known

    def _compare_with_baseline(self):
        """Say whether the best candidate is better than the estimator as it was passed."""
        conclusion = self._conclusion
        if conclusion.baseline is None or not hasattr(self, "best_index_"):
            return
        self.beats_baseline_ = conclusion.beats_baseline(self.best_index_)
        text = conclusion.comparison(self.best_index_)
        if self.verbose > 0:
            print(text)
        if not self.beats_baseline_:
            kept = "; best_estimator_ is as passed" if self.baseline == "prefer" else ""
            warn(f"{text}. That is not better by more than one standard error{kept}.")

    def __sklearn_clone__(self):
        """Return an unfitted search; the searches that it starts from stay fitted."""
        kept = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if value is not None
            and (name == "warm_start_from" or (name == "initial_params" and has_scores(value)))
        }
        if not kept:
            return super().__sklearn_clone__()
        bare = copy.copy(self).set_params(**dict.fromkeys(kept))
        return super(PolicyGradientSearchCV, bare).__sklearn_clone__().set_params(**kept)

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Ask, evaluate, tell, until there is a reason to stop."""
        prepared = PreparedSearch.of(
            self, evaluate_candidates, nested=is_nested(PolicyGradientSearchCV.fit.__code__)
        )
        settings, fit, plan = prepared.settings, prepared.fit, prepared.plan
        history: list[dict[str, Any]] = []
        thetas = []
        with prepared.journal() as journal:
            self._recognised_by = journal.recognised_by
            optimizer, n_told = prepared.optimizer(journal.seed)
            baseline = plan.evaluate_baseline(prepared.beside, journal)
            with cross_validation(
                replace(settings, timeout=baseline.seconds_left),
                fit,
                journal,
                TaskTree(callback_ctx, self, len(fit.splits)),
                race=prepared.race,
                n_candidates=prepared.n_candidates,
                evaluation=prepared.evaluation,
                nested=prepared.nested,
                keep=plan.keeper,
            ) as validation:
                try:
                    for candidates, rewards in validation.run(optimizer.ask):
                        optimizer.tell(candidates, rewards)
                        history.append(_record(optimizer, rewards, n_told))
                        thetas.append(optimizer.policy.theta)
                finally:
                    prepared.lines.close(validation.stop_reason)
                # `fit` sets it after the refit, which may fail or be interrupted
                updates = _updates(optimizer, n_told)
                self.cv_results_ = validation.finish({"iter": updates})
            self._statuses = validation.statuses
            # for displays: the policy after each update, and when and where each fit ran
            self._thetas, self._fit_log = np.array(thetas), validation.fit_log
            self.policy_ = replace(optimizer.policy, note=prepared.note)
            self.history_ = history
            confirmed = plan.confirm(prepared.beside, journal, validation)
            if confirmed.candidates:
                prepared.lines.say(str(confirmed))
        self.stop_reason_ = confirmed.stop_reason or validation.stop_reason
        self.n_fits_ = baseline.n_fits + validation.n_fits + confirmed.n_fits
        self._conclude(
            Conclusion(plan, validation.settled, baseline.candidate, confirmed, journal.seed)
        )

    def _conclude(self, conclusion):
        """Take over what has come of the candidates, before `fit` chooses the best one."""
        self._conclusion = conclusion
        self.__dict__.update(conclusion.attributes)
        conclusion.take_over_refit()
        # for the report, and `corrected_score_`
        self._baseline, self._seed = conclusion.baseline, conclusion.seed
        alike = hasattr(self, "oof_predictions_") and conclusion.predictions_score_alike
        self._targets = np.ravel(conclusion.plan.fit.y) if alike else None

    def report(self, path="report.html", *, metric=None):
        """Write a report on the fitted search: one HTML file that works offline.

        It has the verdict in words, what to do next, figures, a table of all candidates that
        sorts and filters, and the best estimator in code. Without matplotlib there are no
        figures.

        Parameters
        ----------
        path : str or path-like, default="report.html"
            The file to write. One of this name is replaced.
        metric : str, default=None
            Of several metrics the one to report on. None is the one that `refit` names, else the
            first.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If there is no such metric.

        See Also
        --------
        skpg.report : The same, also for stored studies and searches of scikit-learn.
        """
        # a room above this one, which is entered only when it is asked for
        from skpg.reporting import report

        return report(self, path, metric=metric)

    @property
    def _repr_html_(self):
        """The summary of a fitted search, and scikit-learn's diagram, for notebooks."""
        diagram = super()._repr_html_  # raises AttributeError where diagrams are not wanted
        return lambda: self._summary_html() + diagram()

    def _repr_mimebundle_(self, **kwargs):
        """As `_repr_html_`, for the notebooks that ask for all forms at once."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._summary_html() + bundle["text/html"]
        return bundle

    def _summary_html(self):
        if not hasattr(self, "stop_reason_"):  # the last attribute that `fit` sets
            return ""
        from skpg.reporting.notebook import summary_html

        try:
            return summary_html(self)
        except (TypeError, ValueError):  # arguments were changed after `fit`
            return ""

    def _select_best_index(self, refit, refit_metric, results):
        """Return what was confirmed; let a callable choose among those that did not fail."""
        confirmed = self._conclusion.confirmed.best_index
        if confirmed is not None:
            return confirmed
        complete = np.flatnonzero(np.array(self._statuses) == "complete")
        if not callable(refit) or len(complete) in (0, len(self._statuses)):
            return super()._select_best_index(refit, refit_metric, results)
        chosen_from = {
            name: [column[i] for i in complete] if isinstance(column, list) else column[complete]
            for name, column in results.items()
        }
        return int(complete[super()._select_best_index(refit, refit_metric, chosen_from)])


def _updates(optimizer: PolicyGradientOptimizer, n_told: int) -> NDArray[np.intp]:
    """Return the updates that the candidates of the search belong to.

    What was known before, `n_told` candidates, made the first update of the optimizer.
    """
    return optimizer.memory.updates[n_told:] - (n_told > 0)


def _record(
    optimizer: PolicyGradientOptimizer, rewards: list[float], n_told: int
) -> dict[str, Any]:
    """Describe the update that was just made."""
    updates = _updates(optimizer, n_told)
    return {
        "iter": int(updates[-1]),
        "n_candidates": len(updates),
        "mean_reward": _finite(np.mean, rewards),
        "best_reward": _finite(np.max, rewards),
        "best_so_far": _finite(np.max, optimizer.memory.rewards[n_told:]),
        "entropy": optimizer.policy.entropy(),
    }


def _finite(reduce: Callable[[Any], Any], rewards: ArrayLike) -> float:
    """Reduce the rewards of the candidates that did not fail; nan where all did."""
    finite = np.asarray(rewards)[np.isfinite(rewards)]
    return float(reduce(finite)) if len(finite) else float("nan")
