"""When an instruction without an answer is tried again: ten tries over some 75 hours, then dead.

The delays are those of Standard Webhooks, without jitter: the same history gives the same times.
"""

from datetime import datetime, timedelta

#: Seconds to wait after the first, second … try without an answer.
DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
TRIES = len(DELAYS) + 1


def next_try(attempt: int, now: datetime) -> datetime | None:
    """When to try again after this attempt (1, 2 …); None when it is a person's turn.

    Attempts are counted for ever: a row a person puts back in line gets further tries, up to the
    next multiple of `TRIES`.
    """
    tried = attempt % TRIES
    return now + timedelta(seconds=DELAYS[tried - 1]) if tried else None
