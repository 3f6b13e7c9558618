"""Asking a mover: whatever it does, every instruction gets an answer, ``unknown`` if need be."""

import logging
from collections.abc import Sequence

from reverseflow.contracts import Deliver, Delivery
from reverseflow.core.decide.money import RESULTS
from reverseflow.core.errors import shown
from reverseflow.core.values import JsonObject

UNKNOWN = "unknown"
_TEXT = 200
_log = logging.getLogger("reverseflow.outbox")


def hand_over(deliver: Deliver, documents: Sequence[JsonObject]) -> dict[str, Delivery]:
    """The mover's answer to each instruction by its key.

    A mover that raises leaves all of them unknown; no answer, two answers, or one that is no
    `Delivery` leave theirs unknown. What it says beside its result is made fit for a log.
    """
    keys = [str(document["key"]) for document in documents]
    try:
        answers = deliver(documents)
        if not isinstance(answers, list | tuple):
            raise TypeError(f"answered {shown(answers)}, not a list of Delivery")
    except Exception as error:  # noqa: BLE001 - a fault of a mover is an unknown result, never ours
        message = _plain(f"{type(error).__name__}: {error}")
        _log.warning("a mover gave no answer to %d instructions: %s", len(keys), message)
        return {key: Delivery(key, UNKNOWN, "", message) for key in keys}
    found: dict[str, list[Delivery]] = {key: [] for key in keys}
    for answer in answers:
        key = answer.key if isinstance(answer, Delivery) else None
        if isinstance(key, str) and key in found:
            found[key].append(answer)
        else:
            _log.warning("a mover answered what was not asked: %s", shown(answer))
    return {key: _one_answer(key, given) for key, given in found.items()}


def _one_answer(key: str, given: Sequence[Delivery]) -> Delivery:
    if len(given) != 1:
        told = "no answer" if not given else f"{len(given)} answers"
        return Delivery(key, UNKNOWN, "", f"the mover gave {told}")
    answer = given[0]
    if not all(isinstance(part, str) for part in (answer.result, answer.reference, answer.message)):
        return Delivery(key, UNKNOWN, "", "the mover's answer is not made of texts")
    if answer.result not in RESULTS:
        return Delivery(key, UNKNOWN, "", f"the mover answered {shown(answer.result)}")
    return Delivery(key, answer.result, _plain(answer.reference), _plain(answer.message))


def _plain(text: str) -> str:
    """A foreign text on one line, without what a store or a terminal trips over, cut short."""
    cut = text[:_TEXT]
    return "".join(c if c.isprintable() else " " for c in cut) + ("…" if len(text) > _TEXT else "")
