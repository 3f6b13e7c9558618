"""Deciding on applications: opening a ticket, revising it, reopening it; and the preview."""

import attrs

from reverseflow.core.asking import Asked, Setting
from reverseflow.core.case import GOODS, Case, Ticket, read_only
from reverseflow.core.commands import Apply, LineAsked, Reopen, Revise
from reverseflow.core.decide.draft import (
    Draft,
    claim_payload,
    require_role,
    require_ticket_command,
    step,
    text_fields,
)
from reverseflow.core.decide.money import release_now
from reverseflow.core.decide.phases import phase_of
from reverseflow.core.errors import PluginError, Refused, said, shown
from reverseflow.core.legs import INITIAL, RETURN, TYPES, TicketType
from reverseflow.core.money import Money
from reverseflow.core.quote import Quote, compute_quote
from reverseflow.core.reading import amount_in, quantity_in
from reverseflow.core.rulebook import ACCEPT, OUTCOMES, REFUSE, Rule, RuleInput, Verdict
from reverseflow.core.values import SYSTEM, JsonObject, time_text, utc

APPLICANTS = ("buyer", "operations", "platform", "system")


@attrs.frozen
class Application:
    """An application looked at: what it is about, its money, and what each rule says."""

    setting: Setting
    type: TicketType
    asked: Asked
    quote: Quote
    verdicts: tuple[tuple[Rule, Verdict], ...]


def examine(draft: Draft, command: Apply) -> Application:
    """Quote an application and ask every rule; refused where it asks what cannot be."""
    type_ = TYPES.get(command.type)
    if type_ is None:
        raise Refused(
            "unknown_type",
            f"{shown(command.type)} is not a ticket type; known are {', '.join(TYPES)}",
            "type",
        )
    if command.replacement:
        raise Refused("no_replacement", f"a {type_.code} ticket sends nothing in return", "replacement")
    asked = _asked(draft.case, command.lines, command.amount, command.refund_shipping)
    phase = phase_of(draft.case, asked, type_)
    policy = draft.rulebook.policy_at(draft.case.paid_at or draft.case.placed_at)
    reason = draft.rulebook.reason(command.reason, type_.code, phase)
    setting = Setting(draft.case, type_.code, phase, reason, policy, draft.rulebook, draft.now)
    quote = compute_quote(setting, asked)
    given = RuleInput(
        read_only(setting.case), setting.type, phase, reason,
        tuple((setting.case.lines[line_no], units) for line_no, units, _ in asked.lines),
        Money(quote.total, setting.case.currency), policy, draft.now, draft.actor.role,
        bool(command.evidence), asked.shipping is not False,
    )  # fmt: skip
    return Application(setting, type_, asked, quote, _verdicts(draft, given))


def apply(draft: Draft, command: Apply) -> str:
    """Open a ticket; approve it and release its money where the rules say so. Its number."""
    require_role(draft, command, APPLICANTS)
    _require_free(draft.case, command.external_no)
    found = examine(draft, command)
    overridden = _heed(draft, command, found.verdicts)
    ticket = _open(draft, command, found, overridden)
    accepting = _accepting_rule(found.verdicts)
    if accepting is not None and not overridden:
        ticket = draft.emit_on(
            ticket,
            "review_approved",
            {"rule": accepting},
            legs={"review": "approved"},
            actor=SYSTEM,
        )
        if RETURN not in ticket.legs:
            release_now(draft, ticket, SYSTEM)
    return ticket.ticket_no


def _require_free(case: Case, external_no: str) -> None:
    """Refuse an external number that a live ticket of the order has already."""
    for ticket in case.tickets.values():
        if external_no and ticket.external_no == external_no and not ticket.closing:
            raise Refused(
                "external_no_taken",
                f"{shown(external_no)} is ticket {ticket.ticket_no} already",
                "external_no",
            )


def _open(draft: Draft, command: Apply, found: Application, overridden: list[str]) -> Ticket:
    case = draft.case
    ticket_no = f"{case.order_no}-R{len(case.tickets) + 1}"
    legs = {leg: INITIAL[leg] for leg in found.type.legs}
    payload: JsonObject = {
        "type": found.type.code,
        "phase": found.setting.phase,
        "reason": command.reason,
        "legs": legs,
        "asked": found.asked.to_json(),
        "rulebook": found.setting.policy.version,
        "refund_timing": found.setting.policy.refund_timing,
        "claim": claim_payload(found.quote),
    }
    if command.id:
        payload["apply_id"] = command.id
    payload |= text_fields(command, "external_no")
    detail = text_fields(command, "goods_condition")
    if command.phase:
        detail["sale_phase"] = command.phase
    if command.evidence:
        detail["evidence"] = list(command.evidence)
    if overridden:
        detail["override"] = {
            "rules": overridden,
            "by": str(draft.actor),
            "reason": command.override,
        }
    if draft.rulebook.versions:
        detail["plugins"] = dict(draft.rulebook.versions)
    if detail:
        payload["detail"] = detail
    deadline = draft.deadline(("review", legs["review"]), found.setting.phase, found.type.code)
    if command.deadline is not None and deadline is not None:
        deadline[0] = time_text(utc(command.deadline))
    payload["deadline"] = deadline
    draft.emit("ticket_opened", ticket_no, payload, text_fields(command, "note", "reason_text"))
    return draft.case.tickets[ticket_no]


def _asked(case: Case, lines: tuple[LineAsked, ...], amount: str | None, shipping: str | bool) -> Asked:
    """What an application asks for, in minor units, with every line checked against the order."""
    if not lines:
        raise Refused("no_lines", "lines: name at least one line of the order", "lines")
    rows: list[tuple[str, int, int | None]] = []
    for index, told in enumerate(lines):
        path = f"lines[{index}]"
        line = case.lines.get(told.line_no)
        if line is None or line.kind != GOODS:
            raise Refused(
                "unknown_line",
                f"{path}.line_no: the order has no line {shown(told.line_no)}",
                f"{path}.line_no",
            )
        if any(row[0] == told.line_no for row in rows):
            raise Refused("duplicate_line", f"{path}.line_no: {shown(told.line_no)} is named twice", path)
        if told.quantity is None and told.amount is None:
            raise Refused("missing_value", f"{path}: give a quantity or an amount", path)
        units = 0 if told.quantity is None else quantity_in(told.quantity, f"{path}.quantity")
        money = None if told.amount is None else _positive(told.amount, case, f"{path}.amount")
        rows.append((told.line_no, units, money))
    asked_amount = None if amount is None else _positive(amount, case, "amount")
    if isinstance(shipping, str):
        return Asked(tuple(rows), asked_amount, amount_in(shipping, case.currency, "refund_shipping"))
    return Asked(tuple(rows), asked_amount, shipping)


def _positive(text: str, case: Case, field: str) -> int:
    amount = amount_in(text, case.currency, field)
    if amount == 0:
        raise Refused("bad_amount", f"{field}: nothing is asked for", field)
    return amount


def _verdicts(draft: Draft, given: RuleInput) -> tuple[tuple[Rule, Verdict], ...]:
    found = []
    for rule in draft.rulebook.rules:
        if not rule.types or given.type in rule.types:
            verdict = _verdict(rule, given)
            if verdict is not None:
                found.append((rule, verdict))
    return tuple(found)


def _verdict(rule: Rule, given: RuleInput) -> Verdict | None:
    where = f"rule {rule.code} of plugin {rule.plugin}"
    try:
        verdict = rule.check(given)
    except (Exception, SystemExit) as error:
        raise PluginError("plugin_failed", f"{where} raised {said(error)}") from error
    if verdict is None:
        return None
    texts = (verdict.outcome, verdict.code, verdict.message) if type(verdict) is Verdict else (None,)
    if any(type(text) is not str for text in texts) or not verdict.code or verdict.outcome not in OUTCOMES:
        raise PluginError("plugin_contract", f"{where} returned {shown(verdict)}, not a Verdict or None")
    return verdict


def _heed(draft: Draft, command: Apply, verdicts: tuple[tuple[Rule, Verdict], ...]) -> list[str]:
    """Refuse what a rule refuses; staff may override an overridable one. The rules overridden."""
    overridden = []
    for rule, verdict in verdicts:
        if verdict.outcome != REFUSE:
            continue
        if not (rule.overridable and command.override and draft.actor.role == "operations"):
            raise Refused(verdict.code, verdict.message or f"rule {rule.code} refuses")
        overridden.append(rule.code)
    return overridden


def _accepting_rule(verdicts: tuple[tuple[Rule, Verdict], ...]) -> str | None:
    """The rule that lets the system approve: one accepts and none refers to a person."""
    if any(verdict.outcome != ACCEPT for _, verdict in verdicts):
        return None
    return verdicts[0][0].code if verdicts else None


def revise(draft: Draft, ticket: Ticket, command: Revise) -> None:
    """The application is changed and reviewed anew; its claim is quoted again."""
    row = step(draft, ticket, command)
    before = asked = Asked.from_json(ticket.asked).without_terms()
    if command.lines is not None:
        asked = attrs.evolve(_asked(draft.case, command.lines, None, False), shipping=before.shipping)
    if command.amount is not None:
        asked = attrs.evolve(asked, amount=_positive(command.amount, draft.case, "amount"))
    phase = phase_of(draft.case, asked, TYPES[ticket.type], ticket)
    _require_accepted(ticket, asked)
    code = command.reason or ticket.reason
    reason = draft.rulebook.reason(code, ticket.type, phase)
    setting = attrs.evolve(draft.setting(ticket), reason=reason, phase=phase)
    quote = compute_quote(setting, asked)
    payload: JsonObject = {
        "asked": asked.to_json(),
        "claim": claim_payload(quote),
        "reason": code,
        "phase": phase,
    }
    if command.evidence:
        payload["detail"] = {"evidence": [*ticket.detail.get("evidence", ()), *command.evidence]}
    private = text_fields(command, "note")
    draft.emit_on(ticket, "ticket_revised", payload, legs={row.leg: row.next}, private=private)


def _require_accepted(ticket: Ticket, asked: Asked) -> None:
    """After the inspection no more can be asked for than was accepted."""
    if ticket.legs.get(RETURN) != "inspected":
        return
    for line_no, units, _ in asked.lines:
        line = ticket.line(line_no)
        accepted = line.accepted if line else 0
        instead_of_units = units == 0 and line is not None and line.quantity > 0
        if units > accepted or instead_of_units:
            raise Refused(
                "quantity_not_available",
                f"line {shown(line_no)}: {units} asked, {accepted} were accepted on inspection",
                "lines",
            )


def reopen(draft: Draft, ticket: Ticket, command: Reopen) -> None:
    """A closed ticket comes back for review, if what it claimed is still there."""
    require_ticket_command(draft, ticket, command)
    if ticket.closing not in ("cancelled", "closed"):
        raise Refused(
            "wrong_state", f"only a closed or cancelled ticket can be reopened, it is {ticket.status}"
        )
    _require_free(draft.case, ticket.external_no)
    asked = Asked.from_json(ticket.asked).without_terms()
    _require_accepted(ticket, asked)
    quote = compute_quote(draft.setting(ticket), asked)
    payload: JsonObject = {"closing": "", "asked": asked.to_json(), "claim": claim_payload(quote)}
    payload |= text_fields(command, "reason")
    private = text_fields(command, "note")
    draft.emit_on(ticket, "ticket_reopened", payload, legs={"review": "pending"}, private=private)
