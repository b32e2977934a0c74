"""What a search prints while it runs."""

from __future__ import annotations

import io
import shutil
import sys

from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.stopping import Progress
from skpg.evaluation.wording import STOP_REASONS, duration, score_text
from skpg.space.wording import params_text

# Candidates from one line to the next, unless a batch has another number.
CANDIDATES_PER_LINE = 10


class ProgressLines:
    """A callback that prints how far a search is, what is best, and how long it will take.

    One line after each group of candidates, with the best candidate where it is a new one; on a
    terminal one line in all, which is written anew after each candidate. Candidates of an
    earlier run that were read from a storage have one line together.

    Parameters
    ----------
    n_candidates : int
        Number of candidates, unless something ends the search before.
    every : int
        Number of candidates from one line to the next.
    timeout : float or None
        Seconds after which the search ends at the latest.
    mode : {'silent', 'plain', 'live'}
        Print nothing, lines, or one line that is written anew; lines as well where a progress
        bar has taken the place of standard output.

    Examples
    --------
    >>> from skpg.evaluation.stopping import Progress
    >>> from skpg.evaluation.terminal import ProgressLines
    >>> lines = ProgressLines(40, every=1, timeout=None, mode="plain")
    >>> lines(Progress(params={"C": 2.0}, score=0.9, n_candidates=1, n_iter=40,
    ...                best_params={"C": 2.0}, best_score=0.9, n_since_best=0, elapsed=0.5,
    ...                status="complete", fold_scores=(0.9,), seconds=0.5, replayed=False))
     1/40, best 0.9000, about 20 s left; new best: C=2.0
    """

    def __init__(self, n_candidates: int, *, every: int, timeout: float | None, mode: str):
        self._n_candidates, self._every = n_candidates, every
        self._timeout, self._mode = timeout, mode
        self._n_replayed = self._n_failed = self._n_printed = 0
        self._last: Progress | None = None
        self._width = 0

    @classmethod
    def of(cls, settings: SearchSettings, n_candidates: int) -> ProgressLines:
        """Return the callback that the settings ask for."""
        batches = settings.evaluation == "batch"
        # beyond 1 each fit has lines of its own, some of them written by other processes
        live = settings.verbose == 1 and bool(getattr(sys.stdout, "isatty", bool)())
        mode = "silent" if settings.verbose < 1 else "live" if live else "plain"
        every = settings.batch_size if batches else CANDIDATES_PER_LINE
        return cls(n_candidates, every=every, timeout=settings.timeout, mode=mode)

    def __call__(self, progress: Progress) -> None:
        """Print a line if it is time for one."""
        if self._last is not None and self._last.replayed and not progress.replayed:
            self._print_pending()  # what is known of an earlier run
        self._last = progress
        self._n_failed += progress.status == "failed"
        self._n_replayed += progress.replayed
        if self._live:
            self._write_over(self._line(progress))
        elif progress.n_candidates % self._every == 0 and not progress.replayed:
            self._print_pending()

    def make_room(self, progress: Progress) -> None:
        """Take the live line away; a callback, to be called before others, which may print."""
        self._write_over("")

    def say(self, text: str) -> None:
        """Print a line of another kind, where there is room."""
        if self._mode != "silent":
            print(text)

    def close(self, stop_reason: str | None) -> None:
        """Print what is not yet printed, and why the search ended if it ended early.

        Parameters
        ----------
        stop_reason : str or None
            None where an error has ended it.
        """
        if self._live and self._last is not None:
            self._write_over(self._line(self._last))  # an error may have come where there was room
            print()
            self._width = 0
        self._print_pending()
        if stop_reason not in (None, "n_iter"):
            self.say(f"The search ends here: {STOP_REASONS[str(stop_reason)]}.")

    @property
    def _live(self) -> bool:
        # what stands in for the terminal is no wrapper of a file, and has lines only
        return self._mode == "live" and isinstance(sys.stdout, io.TextIOWrapper)

    def _print_pending(self) -> None:
        last, plain = self._last, self._mode != "silent" and not self._live
        if plain and last is not None and last.n_candidates > self._n_printed:
            print(self._line(last))
            self._n_printed = last.n_candidates

    def _line(self, progress: Progress) -> str:
        """Return the line about a candidate and those before it."""
        n, best = progress.n_candidates, progress.best_params
        parts = [f"{n:{len(str(self._n_candidates))}}/{self._n_candidates}"]
        parts += ["no score yet" if best is None else f"best {score_text(progress.best_score)}"]
        parts += [f"{self._n_failed} failed"] * bool(self._n_failed)
        left = self._seconds_left(progress)
        parts += [] if left is None else [f"about {duration(left)} left"]
        line = ", ".join(parts)
        # on a terminal nothing counts as printed: the line shows the best one at all times
        if best is None or n - progress.n_since_best <= self._n_printed:
            return line
        what = "best" if self._live else "new best"
        return f"{line}; {what}: {params_text(best)}"

    def _seconds_left(self, progress: Progress) -> float | None:
        """Return an estimate from the candidates of this run; None before there is one."""
        left = self._n_candidates - progress.n_candidates
        evaluated = progress.n_candidates - self._n_replayed
        if not left or not evaluated or not progress.elapsed:
            return None
        seconds = progress.elapsed / evaluated * left
        if self._timeout is not None:
            seconds = min(seconds, max(self._timeout - progress.elapsed, 0.0))
        return seconds

    def _write_over(self, line: str) -> None:
        # one column stays free: a terminal may begin a new line after its last one
        line = line[: shutil.get_terminal_size().columns - 1]
        if line or self._width:
            # the cursor goes back: a warning is written over the line, not behind it
            print(f"\r{line:<{self._width}}", end="\r", flush=True)
        self._width = len(line)
