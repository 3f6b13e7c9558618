"""What every platform has: reasons, rules, a fee, the neutral reader, the file mover.

It is a plugin like any other: it is written on the public hooks and imports nothing but the
front door. What is heavy (cattrs) is loaded when the first record is read.
"""

from reverseflow import FeeFormula, InputReader, Mover, Reason, Rule, hookimpl
from reverseflow.builtin import fees, file_mover, neutral, reasons, rules

API_VERSION = 1


@hookimpl
def reverseflow_reasons() -> list[Reason]:
    """The reasons a platform has unless it says otherwise."""
    return list(reasons.REASONS)


@hookimpl
def reverseflow_rules() -> list[Rule]:
    """The rules that need nothing but the order, the reason and the policy."""
    return list(rules.RULES)


@hookimpl
def reverseflow_fees() -> list[FeeFormula]:
    """The service fee a reviewer sets."""
    return [fees.SERVICE_FEE]


@hookimpl
def reverseflow_readers() -> list[InputReader]:
    """The neutral format."""
    return [neutral.READER]


@hookimpl
def reverseflow_movers() -> list[Mover]:
    """Instructions as JSON Lines in a file."""
    return [file_mover.FILE_MOVER]
