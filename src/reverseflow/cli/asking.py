"""What is asked on the command line: the options of an application, and lines with their units."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reverseflow.core.errors import UsageError, shown

if TYPE_CHECKING:
    from reverseflow.core.commands import Apply, LineAsked, LineInspected, LineReceived

_F = TypeVar("_F", bound=Callable[..., Any])


def application_options(command: _F) -> _F:
    """The options that say what is applied for."""
    for option in (
        click.option("--refund-shipping", metavar="AMOUNT|all", help="Shipping asked back."),
        click.option("--amount", help="Money asked for the whole ticket; else all there is."),
        click.option(
            "--line", "lines", multiple=True, metavar="LINE=UNITS[@AMOUNT]",
            help="A line with its units, or with money alone: B=1, A=1@10.00, A=@10.00.",
        ),
        click.option("--reason", help="The code of the reason."),
        click.option("--type", "type_", help="The ticket type, such as refund_only."),
    ):  # fmt: skip
        command = option(command)
    return command


def application(order_no: str, options: Mapping[str, Any], **further: Any) -> "Apply":
    """The application the options describe; `UsageError` naming what is missing."""
    from reverseflow.core.commands import Apply

    for name, option in (("type_", "--type"), ("reason", "--reason"), ("lines", "--line")):
        if not options[name]:
            raise UsageError("missing_option", f"an application for {shown(order_no)} needs {option}")
    shipping = options["refund_shipping"]
    return Apply(
        order_no=order_no,
        type=options["type_"],
        reason=options["reason"],
        lines=asked(options["lines"]),
        amount=options["amount"],
        refund_shipping=True if shipping == "all" else shipping or False,
        **further,
    )


def asked(texts: Sequence[str]) -> "tuple[LineAsked, ...]":
    """What is asked for by line: ``B=1``, ``A=1@10.00`` or ``A=@10.00``."""
    return tuple(_asked(text) for text in texts)


def _asked(text: str) -> "LineAsked":
    from reverseflow.core.commands import LineAsked

    line_no, rest = _line(text, "LINE=UNITS, LINE=UNITS@AMOUNT or LINE=@AMOUNT")
    count, mark, amount = rest.partition("@")
    return LineAsked(
        line_no=line_no,
        quantity=None if mark and not count else _units(count, text),
        amount=amount if mark else None,
    )


def received(texts: Sequence[str]) -> "tuple[LineReceived, ...]":
    """What came in by line: ``A=2``."""
    from reverseflow.core.commands import LineReceived

    told = [(*_line(text, "LINE=UNITS"), text) for text in texts]
    return tuple(LineReceived(line_no=no, quantity=_units(rest, text)) for no, rest, text in told)


def inspected(texts: Sequence[str]) -> "tuple[LineInspected, ...]":
    """What inspection found by line: ``A=2``, ``A=1:1`` or ``A=1:1:refurbish``."""
    from reverseflow.core.commands import LineInspected

    found = []
    for text in texts:
        line_no, rest = _line(text, "LINE=ACCEPTED[:REJECTED[:DISPOSITION]]")
        accepted, _, more = rest.partition(":")
        rejected, _, disposition = more.partition(":")
        found.append(
            LineInspected(
                line_no=line_no, accepted=_units(accepted, text),
                rejected=_units(rejected or "0", text), disposition=disposition,
            )
        )  # fmt: skip
    return tuple(found)


def _line(text: str, form: str) -> tuple[str, str]:
    line_no, mark, rest = text.rpartition("=")
    if not mark or not line_no:
        raise UsageError("bad_line", f"--line: {shown(text)} is not {form}")
    return line_no, rest


def _units(count: str, text: str) -> int:
    from reverseflow.files import CellFault, parse_integer

    try:
        return parse_integer(count, minimum=0, maximum=10**9)
    except CellFault as fault:
        raise UsageError("bad_line", f"--line {shown(text)}: {fault.message}") from None
