"""Find the study of a search in a storage, or begin a new one."""

from __future__ import annotations

import json
import platform
import secrets
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import scipy
import sklearn

from skpg.evaluation.call_stack import warn
from skpg.evaluation.journal import Journal
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.workers.lock import Lock
from skpg.space.space import Space
from skpg.storage.database import DAMAGE, Storage, StorageError, StudyInUseError
from skpg.storage.digest import digest, name_of
from skpg.storage.fingerprint import (
    VERSION_PART,
    changed_by_fits,
    fingerprint_of,
)
from skpg.storage.json import describe
from skpg.storage.study import Study, title_of, utc_now


def open_journal(
    settings: SearchSettings,
    fit: RunningFit,
    space: Space,
    learner: Any,
    *,
    evaluation: str,
    keeps: bool = False,
) -> AbstractContextManager[Journal]:
    """Return the study of a search, or a journal that keeps nothing where it has no storage.

    Parameters
    ----------
    settings : SearchSettings
    fit : RunningFit
    space : Space
    learner : Learner
    evaluation : {'batch', 'stream', 'async'}
        As the backend can do it.
    keeps : bool, default=False
        Whether what models predict is kept.

    Raises
    ------
    StorageError
        If the file cannot be used, if the study of this name was recorded by another search,
        or if a search is running on it.
    TypeError
        If a part of the search has no digest, such as a parameter that is an open file.
    """
    if settings.storage is None:
        if settings.study_name is not None:
            raise ValueError(f"study_name={settings.study_name!r} needs a storage, got None.")
        return nullcontext(Journal(_seed(settings.random_state)))
    _warn_of_other_folds(fit.splitter)
    parts = fingerprint_of(settings, fit, space, learner, evaluation=evaluation)
    # as the optimizer would draw it; None draws the seed once and for all
    seed = _seed(settings.random_state)
    storage = Storage(settings.storage)
    lock = None
    try:
        facts = _facts(settings, fit, space, seed)
        study_id, seed = _find_or_add(storage, settings, parts, facts)
        lock = Lock(storage.path, study_id)
        if not lock.acquire():
            raise StudyInUseError(
                f"{title_of(study_id, settings.study_name)} in {storage.path} is in use: another "
                "search is running on it."
            )
        study = Study(
            storage,
            study_id,
            lock,
            space,
            seed,
            n_folds=len(fit.splits),
            asynchronous=evaluation == "async",
            keeps=keeps,
        )
        study.recognised_by = storage.path, parts
        return study
    except BaseException:
        storage.close()
        if lock is not None:
            lock.release()
        raise


def _warn_of_other_folds(splitter: Any) -> None:
    """Warn where a splitter draws other folds in each run."""
    if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
        warn(
            f"{splitter!r} draws other folds in each run, so that no run can go on where another "
            "has ended. Give it a random_state."
        )


def _find_or_add(
    storage: Storage, settings: SearchSettings, parts: dict[str, str], facts: dict[str, Any]
) -> tuple[int, int]:
    """Return the number of a study, and its seed."""
    name, fingerprint = settings.study_name, digest(parts)
    with storage.transaction() as connection:
        where = "study_name = ?" if name is not None else "study_name IS NULL AND fingerprint = ?"
        query = f"SELECT study_id, fingerprint, parts, seed FROM studies WHERE {where}"
        found = connection.execute(query, (fingerprint if name is None else name,)).fetchone()
        if found is None:
            if name is None:
                _warn_of_changes(connection, storage, parts)
            row = {"study_name": name, "fingerprint": fingerprint, "parts": json.dumps(parts)}
            return _insert(connection, row | facts), int(facts["seed"])
    study_id, recorded_fingerprint, recorded, seed = found
    named = f"{title_of(study_id, name)} in {storage.path}"
    if recorded_fingerprint != fingerprint:
        raise StorageError(f"{named} {_refusal(storage, _parts_of(recorded), parts)}")
    try:
        return int(study_id), int(seed)
    except ValueError as error:
        raise StorageError(f"{named} is damaged.") from error


def _insert(connection: sqlite3.Connection, row: dict[str, Any]) -> int:
    """Add a study, and return its number."""
    cursor = connection.execute(
        f"INSERT INTO studies ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        list(row.values()),
    )
    return int(cursor.lastrowid or 0)


def _refusal(storage: Storage, recorded: Mapping[str, str], parts: Mapping[str, str]) -> str:
    """Return why a study of the same name is not continued, and what can be done."""
    if not recorded:
        return "is damaged."
    differences = _differences(recorded, parts)
    choose = "choose another study_name, or let each search find its own study with study_name=None"
    if VERSION_PART in differences:
        # a change of skpg may change the digests of other parts as well: they are not listed
        return (
            "was recorded by a version of skpg that gives other results, and cannot be "
            f"continued: {VERSION_PART} is not the same. `skpg.load_study` reads it; to search "
            f"on, {choose}."
        )
    return (
        f"was recorded by another search. Not the same: {', '.join(differences)}. Undo the "
        f"change, {choose}.{_advice_on_changes_by_fits(storage, differences)}"
    )


def _warn_of_changes(
    connection: sqlite3.Connection, storage: Storage, parts: dict[str, str]
) -> None:
    """Warn where a study is not found because a fit has changed a part of its search."""
    changed = changed_by_fits(storage.path)
    query = "SELECT study_id, parts FROM studies WHERE study_name IS NULL ORDER BY study_id DESC"
    for study_id, recorded in connection.execute(query) if changed else ():
        differences = _differences(_parts_of(recorded), parts)
        if changed.issuperset(differences):
            warn(
                f"A new study was begun: {title_of(study_id).lower()} in {storage.path} differs "
                f"only in: {', '.join(differences)}."
                f"{_advice_on_changes_by_fits(storage, differences)}"
            )
            return


def _advice_on_changes_by_fits(storage: Storage, differences: list[str]) -> str:
    """Return what to do about differences that an earlier fit has made, not the user."""
    changed = [name for name in differences if name in changed_by_fits(storage.path)]
    if not changed:
        return ""
    return (
        f" An earlier fit has changed {', '.join(changed)}: to go on with that study, pass it as "
        "it was before."
    )


def _facts(settings: SearchSettings, fit: RunningFit, space: Space, seed: int) -> dict[str, Any]:
    """Return what is noted of a study for its continuation, and for people."""
    versions = {
        # not of its metadata, which a copy of the sources does not have
        "skpg": sys.modules["skpg"].__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "machine": platform.machine(),
    }
    return {
        "seed": str(seed),
        "estimator": name_of(type(settings.estimator)),
        "space": json.dumps(describe(space)),
        "n_folds": len(fit.splits),
        "racing": int(settings.raced),
        "return_train_score": int(settings.return_train_score),
        "versions": json.dumps(versions),
        "created": utc_now(),
    }


def _parts_of(recorded: str) -> dict[str, str]:
    """Return the parts of a recorded study; none if they are damaged."""
    try:
        return dict(json.loads(recorded))
    except DAMAGE:
        return {}


def _differences(recorded: Mapping[str, str], parts: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that are not the same."""
    names = [*parts, *(name for name in recorded if name not in parts)]
    return [name for name in names if recorded.get(name) != parts.get(name)]


def _seed(random_state: Any) -> int:
    """Return the seed that stands for a `random_state`."""
    if random_state is None:
        return secrets.randbits(32)  # of which each is a valid random_state
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))  # as the optimizer does
    return int(random_state)
