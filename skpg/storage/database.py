"""The file in which searches are kept: one sqlite database, plain tables, no pickles.

Each transaction is written before the call returns, to a log beside the database (WAL): a
killed process loses none. After a power failure the last ones may be missing; the database
is sound in any case.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# "skpg", where sqlite keeps the mark of the application that owns a database.
APPLICATION = 0x736B7067
SCHEMA_VERSION = 2
# Seconds to wait while another process writes.
LOCK_TIMEOUT = 60.0

# Bytes; a smaller file cannot be a database.
SMALLEST_SIZE = 512
# What reading damaged rows may raise.
DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

# What version 2 has added.
PREDICTIONS = """
    CREATE TABLE predictions (
        study_id INTEGER NOT NULL REFERENCES studies,
        number INTEGER NOT NULL,
        fold INTEGER NOT NULL,
        response TEXT NOT NULL,
        n_columns INTEGER,
        answers BLOB NOT NULL,
        PRIMARY KEY (study_id, number, fold)
    )
    """

# Scores and rewards have no declared type: in a REAL column sqlite turns -0.0 into 0.0.
# A score that is nan is NULL.
SCHEMA = (
    """
    CREATE TABLE studies (
        study_id INTEGER PRIMARY KEY,
        study_name TEXT UNIQUE,
        fingerprint TEXT NOT NULL,
        parts TEXT NOT NULL,
        seed TEXT NOT NULL,
        estimator TEXT NOT NULL,
        space TEXT NOT NULL,
        n_folds INTEGER NOT NULL,
        racing INTEGER NOT NULL,
        return_train_score INTEGER NOT NULL,
        versions TEXT NOT NULL,
        created TEXT NOT NULL,
        stop_reason TEXT
    )
    """,
    "CREATE UNIQUE INDEX unnamed ON studies (fingerprint) WHERE study_name IS NULL",
    """
    CREATE TABLE candidates (
        study_id INTEGER NOT NULL REFERENCES studies,
        number INTEGER NOT NULL,
        params TEXT NOT NULL,
        n_told INTEGER NOT NULL,
        status TEXT NOT NULL DEFAULT 'running',
        position INTEGER,
        iter INTEGER,
        score,
        reward,
        created TEXT NOT NULL,
        finished TEXT,
        PRIMARY KEY (study_id, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE folds (
        study_id INTEGER NOT NULL REFERENCES studies,
        number INTEGER NOT NULL,
        fold INTEGER NOT NULL,
        status TEXT NOT NULL,
        counts INTEGER NOT NULL DEFAULT 1,
        fit_time,
        score_time,
        n_test_samples,
        several INTEGER NOT NULL,
        fit_error TEXT,
        PRIMARY KEY (study_id, number, fold)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE scores (
        study_id INTEGER NOT NULL REFERENCES studies,
        number INTEGER NOT NULL,
        fold INTEGER NOT NULL,
        place INTEGER NOT NULL,
        metric TEXT NOT NULL,
        test_score,
        train_score,
        PRIMARY KEY (study_id, number, fold, place)
    ) WITHOUT ROWID
    """,
    PREDICTIONS,
)


class StorageError(RuntimeError):
    """A storage cannot be used, or does not hold what a search expects.

    Raised by :class:`PolicyGradientSearchCV` with `storage`, by :func:`studies` and by
    :func:`load_study`. The file is left as it was.
    """


class StudyInUseError(StorageError):
    """Another search is running on the same study."""


def path_of(storage: str | os.PathLike[str]) -> Path:
    """Return the file that a `storage` argument names.

    Raises
    ------
    ValueError
        If it is neither a path nor ``"sqlite:///"`` and a path.

    Examples
    --------
    >>> from skpg.storage.database import path_of
    >>> path_of("sqlite:///search.db"), path_of("sqlite:////tmp/search.db")
    (PosixPath('search.db'), PosixPath('/tmp/search.db'))
    """
    text = os.fsdecode(storage)
    name = text.removeprefix("sqlite:///")
    if not name or "://" in name or name == ":memory:":
        raise ValueError(
            f"storage must be the path of a file, or 'sqlite:///' and a path; got {text!r}."
        )
    return Path(name)


class Storage:
    """An open database.

    Parameters
    ----------
    storage : str or path-like
    readonly : bool, default=False
        Only read, from a file that exists.

    Attributes
    ----------
    path : Path

    Raises
    ------
    StorageError
        If the file is not a database of skpg, is damaged, was written by a newer skpg, or
        cannot be read or written.
    """

    def __init__(self, storage: str | os.PathLike[str], *, readonly: bool = False):
        self.path = path_of(storage)
        if readonly and not self.path.is_file():
            raise StorageError(f"There is no file {self.path}.")
        with self._translated_errors():
            self._check_file(readonly)
            self._connection = self._read() if readonly else self._write()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._translated_errors():
            return self._connection.execute(query, values).fetchall()

    def write(self, query: str, *values: Any) -> None:
        """Write, and return when it is safe."""
        with self._translated_errors():
            self._connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all that is executed in the block, or nothing."""
        with self._translated_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None) or 0
            raise StorageError(f"{_reason(self.path, code)}: {error}.") from error

    def _check_file(self, readonly: bool) -> None:
        """Raise if the file cannot be used as a storage."""
        folder = self.path.absolute().parent
        if not self.path.exists():
            if not folder.is_dir():
                raise StorageError(f"There is no folder {folder} for {self.path.name}.")
        elif not self.path.is_file():
            raise StorageError(f"{self.path} is not a file.")
        elif self.path.stat().st_size or self._has_log:
            self._check_contents()
        # sqlite keeps files of its own beside the database
        wanted = [self.path, folder] if self.path.exists() else [folder]
        if not readonly and not all(os.access(place, os.W_OK) for place in wanted):
            raise StorageError(
                f"{self.path} cannot be written: the file and its folder must be writable."
            )

    def _check_contents(self) -> None:
        size = self.path.stat().st_size
        if not size:
            raise StorageError(f"{self.path} is truncated: it is empty, its log is not.")
        if size < SMALLEST_SIZE:  # sqlite takes some for empty, and writes
            raise StorageError(f"{self.path} is not a database, or truncated.")
        try:
            # As immutable the file is only read, without locks and without the log, in which
            # the marks of a database never are. By sqlite itself: closing a descriptor of our
            # own would drop the locks of other connections of this process.
            self._inspect("mode=ro&immutable=1")
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
            if code & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            if self._has_log:  # what a crash left out of the file may be there
                self._inspect("mode=ro", thorough=True)
            elif not Path(f"{self.path}-journal").exists():  # from which sqlite repairs it
                raise

    def _inspect(self, mode: str, *, thorough: bool = False) -> None:
        connection = self._connect(mode)
        try:
            self._check_marks(connection)
            if thorough and connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise StorageError(f"{self.path} is damaged or truncated.")
        finally:
            connection.close()

    def _check_marks(self, connection: sqlite3.Connection) -> int:
        """Return the version of the schema, 0 of a new file; raise if it is not ours."""
        application, version, tables = (
            connection.execute(query).fetchone()[0]
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        if self.path.stat().st_size % page and not self._has_log:
            raise StorageError(f"{self.path} is damaged or truncated: its last page is not whole.")
        if application != APPLICATION and (application or version or tables):
            raise StorageError(f"{self.path} is a database, but not one of skpg.")
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"{self.path} was written by a newer skpg (its schema has version {version}; "
                f"this skpg knows {SCHEMA_VERSION})."
            )
        return int(version)

    @property
    def _has_log(self) -> bool:
        log = Path(f"{self.path}-wal")
        return log.exists() and log.stat().st_size > 0

    def _connect(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(address, LOCK_TIMEOUT, isolation_level=None, uri=True)
        # what a stranger may have put into the schema runs no functions
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def _read(self) -> sqlite3.Connection:
        connection = self._connect("mode=ro")
        try:
            connection.execute("SELECT count(*) FROM studies")
        except sqlite3.OperationalError:
            connection.close()
            if self._has_log:
                raise
            # without a log, and where none can be made, such as on read-only media
            connection = self._connect("mode=ro&immutable=1")
            connection.execute("SELECT count(*) FROM studies")
        return connection

    def _write(self) -> sqlite3.Connection:
        connection = self._connect("mode=rwc")
        try:
            connection.execute("BEGIN IMMEDIATE")
            version = self._check_marks(connection)
            if version < SCHEMA_VERSION:
                for statement in SCHEMA if version == 0 else [PREDICTIONS]:
                    connection.execute(statement)
                # last, and in the transaction: a file that has the marks has the tables
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            _keep_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection


def _keep_log(connection: sqlite3.Connection) -> None:
    """Let transactions go to a log: a hundred times faster, and readers never wait."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # Others are at work, so that it cannot change now. It is as safe without.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise


def _reason(path: Path, code: int) -> str:
    """Return what an error of sqlite means, in the words of a user."""
    return {
        sqlite3.SQLITE_NOTADB: f"{path} is not a database",
        sqlite3.SQLITE_CORRUPT: f"{path} is damaged or truncated",
        sqlite3.SQLITE_READONLY: f"{path} cannot be written",
        sqlite3.SQLITE_CANTOPEN: f"{path} cannot be opened",
        sqlite3.SQLITE_FULL: f"There is no space left for {path}",
        sqlite3.SQLITE_BUSY: f"{path} was locked for {LOCK_TIMEOUT:.0f} seconds by another program",
    }.get(code & 0xFF, f"{path} cannot be used")
