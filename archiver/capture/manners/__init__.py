"""How hosts are treated: how many requests, how far apart, what they forbid, and when to give up."""

from dataclasses import dataclass

MOST_DELAY = 30.0  # seconds; a slow host is not waited for longer than this between two requests


@dataclass(frozen=True)
class Manners:
    """The manners of one run. Times are seconds.

    delay: between two requests to a host; None: the longer of one second and twice the last request's
    time, and nothing for hosts on one's own machine or network. patience: the longest wait that a host may
    ask for. ignore_robots: the person's reason for not asking for robots.txt; empty: it is obeyed.
    """

    parallel: int = 8
    per_host: int = 1
    delay: float | None = None
    retries: int = 3
    patience: float = 600
    backoff: float = 2
    ignore_robots: str = ""

    def pause(self, seconds: float, *, spared: bool) -> float:
        """How long a host is left alone after a request that took `seconds`, if it does not say itself.

        `spared`: it is one's own, or says by a quota what it can bear.
        """
        if self.delay is not None:
            return self.delay
        return 0.0 if spared else max(1.0, min(2 * seconds, MOST_DELAY))
