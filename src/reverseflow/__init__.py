"""ReverseFlow: the front door. Plugin authors and integrators import from here, and only here.

Names are loaded when they are first used, so that ``import reverseflow`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # for type checkers the same names as in the table below; a test compares them
    from reverseflow.contracts import BadRecord as BadRecord
    from reverseflow.contracts import CliCommand as CliCommand
    from reverseflow.contracts import Deliver as Deliver
    from reverseflow.contracts import Delivery as Delivery
    from reverseflow.contracts import Drawn as Drawn
    from reverseflow.contracts import EventListener as EventListener
    from reverseflow.contracts import InputReader as InputReader
    from reverseflow.contracts import Mover as Mover
    from reverseflow.contracts import Passed as Passed
    from reverseflow.contracts import Purchase as Purchase
    from reverseflow.contracts import ReadContext as ReadContext
    from reverseflow.contracts import ReadItem as ReadItem
    from reverseflow.contracts import Record as Record
    from reverseflow.contracts import Warned as Warned
    from reverseflow.core.asking import GIVE_BACK as GIVE_BACK
    from reverseflow.core.case import FUNDERS as FUNDERS
    from reverseflow.core.case import TENDERS as TENDERS
    from reverseflow.core.case import Case as Case
    from reverseflow.core.case import OrderLine as OrderLine
    from reverseflow.core.case import Payment as Payment
    from reverseflow.core.case import Ticket as Ticket
    from reverseflow.core.case import TicketLine as TicketLine
    from reverseflow.core.commands import COMMANDS as COMMANDS
    from reverseflow.core.commands import Apply as Apply
    from reverseflow.core.commands import Approve as Approve
    from reverseflow.core.commands import BookPickup as BookPickup
    from reverseflow.core.commands import BuyerFacts as BuyerFacts
    from reverseflow.core.commands import Cancel as Cancel
    from reverseflow.core.commands import ChargeFacts as ChargeFacts
    from reverseflow.core.commands import Close as Close
    from reverseflow.core.commands import Command as Command
    from reverseflow.core.commands import DiscountFacts as DiscountFacts
    from reverseflow.core.commands import Escalate as Escalate
    from reverseflow.core.commands import ExternalRefund as ExternalRefund
    from reverseflow.core.commands import Inspect as Inspect
    from reverseflow.core.commands import Intercept as Intercept
    from reverseflow.core.commands import LineAsked as LineAsked
    from reverseflow.core.commands import LineFacts as LineFacts
    from reverseflow.core.commands import LineInspected as LineInspected
    from reverseflow.core.commands import LineReceived as LineReceived
    from reverseflow.core.commands import Lose as Lose
    from reverseflow.core.commands import Note as Note
    from reverseflow.core.commands import PaymentFacts as PaymentFacts
    from reverseflow.core.commands import Receive as Receive
    from reverseflow.core.commands import RecordOrder as RecordOrder
    from reverseflow.core.commands import RefuseDelivery as RefuseDelivery
    from reverseflow.core.commands import Reject as Reject
    from reverseflow.core.commands import Release as Release
    from reverseflow.core.commands import Reopen as Reopen
    from reverseflow.core.commands import ReplacementAsked as ReplacementAsked
    from reverseflow.core.commands import Retry as Retry
    from reverseflow.core.commands import ReturnAddress as ReturnAddress
    from reverseflow.core.commands import Revise as Revise
    from reverseflow.core.commands import SendBack as SendBack
    from reverseflow.core.commands import SettleResult as SettleResult
    from reverseflow.core.commands import ShipBack as ShipBack
    from reverseflow.core.commands import ShippingFacts as ShippingFacts
    from reverseflow.core.commands import TaxFacts as TaxFacts
    from reverseflow.core.commands import WaiveReturn as WaiveReturn
    from reverseflow.core.errors import AmountError as AmountError
    from reverseflow.core.errors import ExitStatus as ExitStatus
    from reverseflow.core.errors import InputError as InputError
    from reverseflow.core.errors import PluginError as PluginError
    from reverseflow.core.errors import Refusal as Refusal
    from reverseflow.core.errors import ReverseFlowError as ReverseFlowError
    from reverseflow.core.errors import UsageError as UsageError
    from reverseflow.core.errors import shown as shown
    from reverseflow.core.instructions import INSTRUCTION_KINDS as INSTRUCTION_KINDS
    from reverseflow.core.instructions import MONEY_KINDS as MONEY_KINDS
    from reverseflow.core.legs import TYPES as TYPES
    from reverseflow.core.legs import Deadline as Deadline
    from reverseflow.core.legs import TicketType as TicketType
    from reverseflow.core.money import Money as Money
    from reverseflow.core.money import allocate as allocate
    from reverseflow.core.money import format_amount as format_amount
    from reverseflow.core.money import parse_amount as parse_amount
    from reverseflow.core.rulebook import ACCEPT as ACCEPT
    from reverseflow.core.rulebook import ANY as ANY
    from reverseflow.core.rulebook import REFER as REFER
    from reverseflow.core.rulebook import REFUSE as REFUSE
    from reverseflow.core.rulebook import FeeFormula as FeeFormula
    from reverseflow.core.rulebook import FeeInput as FeeInput
    from reverseflow.core.rulebook import Platform as Platform
    from reverseflow.core.rulebook import Policy as Policy
    from reverseflow.core.rulebook import Reason as Reason
    from reverseflow.core.rulebook import Rule as Rule
    from reverseflow.core.rulebook import RuleInput as RuleInput
    from reverseflow.core.rulebook import Verdict as Verdict
    from reverseflow.core.values import Actor as Actor
    from reverseflow.core.values import JsonObject as JsonObject
    from reverseflow.engine import Engine as Engine
    from reverseflow.engine import Result as Result
    from reverseflow.files import BadRow as BadRow
    from reverseflow.files import CellFault as CellFault
    from reverseflow.files import JsonFault as JsonFault
    from reverseflow.files import JsonRow as JsonRow
    from reverseflow.files import Source as Source
    from reverseflow.files import TableRow as TableRow
    from reverseflow.files import open_source as open_source
    from reverseflow.files import parse_integer as parse_integer
    from reverseflow.files import parse_json as parse_json
    from reverseflow.files import parse_time as parse_time
    from reverseflow.files import peek_header as peek_header
    from reverseflow.files import read_json_document as read_json_document
    from reverseflow.files import read_json_lines as read_json_lines
    from reverseflow.files import read_table as read_table
    from reverseflow.hookspecs import API_VERSION as API_VERSION
    from reverseflow.hookspecs import hookimpl as hookimpl
    from reverseflow.plugins import Registry as Registry
    from reverseflow.plugins import load_plugins as load_plugins
    from reverseflow.plugins import registry_of as registry_of

_ROOMS = {
    "contracts": """
        BadRecord CliCommand Deliver Delivery Drawn EventListener InputReader Mover Passed
        Purchase ReadContext ReadItem Record Warned
    """,
    "core.case": """
        Case FUNDERS OrderLine Payment TENDERS Ticket TicketLine
    """,
    "core.commands": """
        Apply Approve BookPickup BuyerFacts COMMANDS Cancel ChargeFacts Close Command
        DiscountFacts Escalate ExternalRefund Inspect Intercept LineAsked LineFacts
        LineInspected LineReceived Lose Note PaymentFacts Receive RecordOrder RefuseDelivery
        Reject Release Reopen ReplacementAsked Retry ReturnAddress Revise SendBack
        SettleResult ShipBack ShippingFacts TaxFacts WaiveReturn
    """,
    "core.errors": """
        AmountError ExitStatus InputError PluginError Refusal ReverseFlowError UsageError
        shown
    """,
    "core.instructions": """
        INSTRUCTION_KINDS MONEY_KINDS
    """,
    "core.legs": """
        Deadline TYPES TicketType
    """,
    "core.money": """
        Money allocate format_amount parse_amount
    """,
    "core.asking": """
        GIVE_BACK
    """,
    "core.rulebook": """
        ACCEPT ANY FeeFormula FeeInput Platform Policy REFER REFUSE Reason Rule RuleInput
        Verdict
    """,
    "core.values": """
        Actor JsonObject
    """,
    "engine": """
        Engine Result
    """,
    "files": """
        BadRow CellFault JsonFault JsonRow Source TableRow open_source parse_integer
        parse_json parse_time peek_header read_json_document read_json_lines read_table
    """,
    "hookspecs": """
        API_VERSION hookimpl
    """,
    "plugins": """
        Registry load_plugins registry_of
    """,
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
