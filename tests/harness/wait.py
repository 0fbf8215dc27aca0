"""Waiting for conditions. Nothing in the tests sleeps in place of one."""
import time

POLL_SECONDS = 0.02


class TimedOut(AssertionError):
    """A condition did not become true within its bound."""


def wait_until(condition, bound, what="condition", every=POLL_SECONDS):
    """Polls `condition()` until it returns something true and returns that; TimedOut after `bound` seconds.

    An exception of the condition counts as "not yet"; the last one is named if the bound passes.
    """
    end = time.monotonic() + bound
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except Exception as error:  # a server that is still starting, a port nobody listens on
            last = error
        if time.monotonic() > end:
            raise TimedOut(f"{what}: not within {bound} s" + (f" (last: {last!r})" if last else ""))
        time.sleep(every)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self):
        self.begun = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begun
