"""Limits of time inside a process."""

import signal
import time

import pytest

from skpg.evaluation.workers.time_limit import CandidateTimeoutError, time_limit


def test_a_limit_inside_a_limit_gives_the_alarm_back():
    start = time.monotonic()

    def sleep_twice():
        with time_limit(0.6):
            with pytest.raises(CandidateTimeoutError), time_limit(0.2):
                time.sleep(5)
            time.sleep(5)

    with pytest.raises(CandidateTimeoutError):
        sleep_twice()
    assert time.monotonic() - start > 0.5  # not ended by the inner limit


def test_a_limit_that_is_kept_leaves_nothing_behind():
    with time_limit(0.1) as limit:
        pass
    time.sleep(0.2)
    assert not limit.exceeded
    with time_limit(None):
        pass


def test_a_limit_that_cannot_be_set_leaves_the_handler_as_it_was():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(ValueError, match="NaN"), time_limit(float("nan")):
        pass
    assert signal.getsignal(signal.SIGALRM) is before
