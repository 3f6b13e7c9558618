"""ReverseFlow: the front door. Plugin authors and integrators import from here, and only here.

Names are loaded when they are first used, so that ``import reverseflow`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from reverseflow.core.case import Case as Case
    from reverseflow.core.case import OrderLine as OrderLine
    from reverseflow.core.case import Payment as Payment
    from reverseflow.core.case import Ticket as Ticket
    from reverseflow.core.case import TicketLine as TicketLine
    from reverseflow.core.commands import *  # noqa: F403
    from reverseflow.core.contracts import *  # noqa: F403
    from reverseflow.core.errors import *  # noqa: F403
    from reverseflow.core.legs import Deadline as Deadline
    from reverseflow.core.money import Money as Money
    from reverseflow.core.rulebook import *  # noqa: F403
    from reverseflow.engine import Engine as Engine
    from reverseflow.hookspecs import API_VERSION as API_VERSION
    from reverseflow.hookspecs import hookimpl as hookimpl

_ROOMS = {
    "core.case": "FUNDERS TENDERS Case OrderLine Payment Ticket TicketLine",
    "core.commands": "COMMANDS Apply Approve BookPickup BuyerFacts Cancel ChargeFacts Close Command DiscountFacts "
    "Escalate ExternalRefund Inspect Intercept LineAsked LineFacts LineInspected LineReceived Lose Note "
    "PaymentFacts Receive RecordOrder RefuseDelivery Reject Release Reopen ReplacementAsked Retry "
    "ReturnAddress Revise SendBack SettleResult ShipBack ShippingFacts TaxFacts WaiveReturn",
    "core.contracts": "BadRecord CliCommand Deliver Delivery Drawn EventListener InputReader InputSource "
    "Mover Passed Purchase ReadContext ReadItem Record Warned",
    "core.errors": "AmountError ExitStatus InputError PluginError Refusal ReverseFlowError UsageError shown",
    "core.instructions": "INSTRUCTION_KINDS MONEY_KINDS",
    "core.legs": "TYPES Deadline TicketType",
    "core.money": "Money allocate format_amount parse_amount",
    "core.rulebook": "ACCEPT ANY REFER REFUSE FeeFormula FeeInput Platform Policy Reason Rule RuleInput Verdict",
    "core.quote": "GIVE_BACK",
    "core.values": "Actor JsonObject",
    "engine": "Engine Result",
    "files": "BadRow CellFault JsonFault JsonRow Source TableRow open_source parse_integer parse_json parse_time peek_header "
    "read_json_document read_json_lines read_table",
    "hookspecs": "API_VERSION hookimpl",
    "plugins": "Registry load_plugins",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
