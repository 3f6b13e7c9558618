"""``reverseflow ticket …``: applying, reviewing and ending tickets."""

from typing import Any

import click

from reverseflow.cli.asking import application, application_options, asked
from reverseflow.cli.common import open_engine, print_results, required_actor
from reverseflow.cli.giving import command_options, give, on_tickets, refuse_several

_reason = click.option("--reason", default="", help="Why.")
_required_reason = click.option("--reason", required=True, help="Why; the buyer can see it.")


@click.command()
@click.argument("order_no", metavar="ORDER")
@application_options
@click.option("--external-no", default="", metavar="NUMBER", help="The platform's refund number.")
@click.option("--evidence", multiple=True, metavar="PATH|URL", help="A picture or other proof.")
@click.option("--goods-condition", default="", help="What the goods are like.")
@click.option("--override", metavar="WHY", help="Staff: go over an overridable rule, and why.")
@command_options
def apply(order_no: str, **options: Any) -> None:
    """Open a ticket by hand.

    Example: reverseflow ticket apply E1 --type refund_only --reason agreed --line B=1
    """
    wanted = application(
        order_no,
        options,
        id=options["id_"],
        actor=required_actor(options),
        note=options["note"],
        expected_version=options["expected_version"],
        external_no=options["external_no"],
        evidence=options["evidence"],
        goods_condition=options["goods_condition"],
        override=options["override"],
    )
    with open_engine(options) as engine:
        results = engine.execute([wanted])
    print_results(results, as_json=options["as_json"], names=[order_no])


@click.command()
@click.option("--amount", help="The amount approved, when it is lower than the quote.")
@click.option("--service-fee", default="0", help="A fee agreed with the buyer.")
@click.option(
    "--give-back", multiple=True, metavar="coupon|virtual_currency|freight",
    help="Give this back too.",
)  # fmt: skip
@click.option("--return-contact", default="", help="Who receives the goods.")
@click.option("--return-phone", default="", help="And his telephone number.")
@click.option("--return-address", default="", help="Where the goods are to be sent.")
@click.option("--override", metavar="WHY", help="Why a rule is gone over.")
@on_tickets
def approve(
    tickets: tuple[str, ...], amount: str | None, service_fee: str, give_back: tuple[str, ...],
    override: str | None, **options: Any,
) -> None:  # fmt: skip
    """Agree to applications.

    The amount may be lowered, a fee taken, more given back, a return address set.

    Example: reverseflow ticket approve E1-R1 --service-fee 5.00 --actor operations:li
    """
    from reverseflow.core.commands import ReturnAddress

    refuse_several(tickets, "--amount", amount)
    parts = {name: options[f"return_{name}"] for name in ("contact", "phone", "address")}
    give(
        "approve", tickets, options,
        amount=amount, service_fee=service_fee, give_back=give_back, override=override,
        return_to=ReturnAddress(**parts) if any(parts.values()) else None,
    )  # fmt: skip


@click.command()
@_required_reason
@on_tickets
def reject(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """Decline applications; the buyer may revise them.

    Example: reverseflow ticket reject E1-R1 --reason "no fault found" --actor operations:li
    """
    give("reject", tickets, options, reason=reason)


@click.command()
@click.option("--reason", help="The code of another reason.")
@click.option(
    "--line", "lines", multiple=True, metavar="LINE=UNITS[@AMOUNT]", help="Lines instead of those asked for."
)
@click.option("--amount", help="Money asked for the whole ticket.")
@click.option("--evidence", multiple=True, metavar="PATH|URL", help="Further proof.")
@on_tickets
def revise(
    tickets: tuple[str, ...], reason: str | None, lines: tuple[str, ...], amount: str | None,
    evidence: tuple[str, ...], **options: Any,
) -> None:  # fmt: skip
    """Change an application; it is reviewed anew.

    While it is pending, or after a rejection.

    Example: reverseflow ticket revise E1-R1 --line B=1 --actor buyer:b1
    """
    refuse_several(tickets, "--line", lines)
    refuse_several(tickets, "--amount", amount)
    give(
        "revise", tickets, options,
        reason=reason, lines=asked(lines) if lines else None, amount=amount, evidence=evidence,
    )  # fmt: skip


@click.command()
@_reason
@on_tickets
def cancel(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """Withdraw applications.

    What they claimed is free again.

    Example: reverseflow ticket cancel E1-R1 --actor buyer:b1
    """
    give("cancel", tickets, options, reason=reason)


@click.command()
@_reason
@on_tickets
def close(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """End tickets nobody follows any more.

    What they claimed is free again.

    Example: reverseflow ticket close E1-R1 --reason "no parcel came" --actor operations:li
    """
    give("close", tickets, options, reason=reason)


@click.command()
@_reason
@on_tickets
def reopen(tickets: tuple[str, ...], reason: str, **options: Any) -> None:
    """Bring closed or cancelled tickets back for review.

    Example: reverseflow ticket reopen E1-R1 --reason "parcel found" --actor operations:li
    """
    give("reopen", tickets, options, reason=reason)


@click.command()
@click.argument("ticket_no", metavar="TICKET")
@click.argument("text")
@command_options
def note(ticket_no: str, text: str, **options: Any) -> None:
    """Write a note on a ticket.

    Example: reverseflow ticket note E1-R1 "called the buyer" --actor operations:li
    """
    give("note", [ticket_no], options, text=text)


@click.command()
@click.option("--result", required=True, metavar="sent|settled|failed|unknown", help="What became of it.")
@click.option("--key", default="", help="Which instruction, when there are several.")
@click.option("--payment", "payment_no", default="", help="Or which payment it goes to.")
@click.option("--amount", help="The amount moved; refused when it is not what was instructed.")
@click.option("--reference", default="", help="The other side's number.")
@on_tickets
def settle(tickets: tuple[str, ...], result: str, **options: Any) -> None:
    """Record by hand what became of released money.

    Example: reverseflow ticket settle E1-R1 --result settled --actor finance:wang
    """
    fields = {name: options[name] for name in ("key", "payment_no", "amount", "reference")}
    refuse_several(tickets, "--key or --amount", fields["key"] or fields["amount"])
    give("settle_result", tickets, options, result=result, **fields)


COMMANDS = (apply, approve, reject, revise, cancel, close, reopen, note, settle)
