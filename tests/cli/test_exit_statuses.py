"""Every exit status, each by the trouble it stands for, with one line for a person."""

import sqlite3
import sys
import types
from collections.abc import Mapping, Sequence

import attrs
import pytest

from cli.shell import NOW, Answer, Shell, apply, delivered, order, registry, take_back
from reverseflow import Deliver, Delivery, JsonObject, Mover, Rule, RuleInput, Verdict, hookimpl
from reverseflow.cli import main
from reverseflow.core.errors import ExitStatus
from reverseflow.engine import Engine


def ends(answer: Answer, status: ExitStatus) -> str:
    """The message of an answer that must have this status."""
    assert status == answer.status, answer
    assert "Traceback" not in answer.err
    return answer.err


def plugin(**hooks: object) -> types.ModuleType:
    """A plugin module with these hooks, each returning the list given."""
    module = types.ModuleType("broken")
    module.API_VERSION = 1  # type: ignore[attr-defined]
    for name, values in hooks.items():

        def hook(values: object = values) -> object:
            return values

        hook.__name__ = name
        setattr(module, name, hookimpl(hook))
    return module


def test_0_done(shell: Shell) -> None:
    ends(shell.run(order(), apply()), ExitStatus.DONE)


def test_1_internal_error_has_a_number_and_no_traceback(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "view", broken)
    said = ends(shop("ticket", "list"), ExitStatus.INTERNAL_ERROR)
    assert "internal_error: ZeroDivisionError (number " in said
    assert "--debug" in said


def test_2_usage(shop: Shell) -> None:
    ends(shop("ticket", "list", "--status", "sad"), ExitStatus.USAGE)
    ends(shop("run"), ExitStatus.USAGE)
    ends(shop("run", "input.jsonl", "--option", "depth"), ExitStatus.USAGE)
    ends(shop("run", "input.jsonl", "--results", "no/such/folder/r.jsonl"), ExitStatus.USAGE)
    ends(shop("export", "--output", "no/such/folder/x.jsonl"), ExitStatus.USAGE)


def test_3_input_refused_whole_or_nothing_of_it_usable(shell: Shell) -> None:
    ends(shell("run", "nowhere.jsonl"), ExitStatus.INPUT_REFUSED)
    ends(shell.run('{"apply": {}}'), ExitStatus.INPUT_REFUSED)


def test_4_done_in_part(shell: Shell) -> None:
    ends(shell.run(order(), apply(), apply("a2", reason="boredom")), ExitStatus.DONE_IN_PART)


def test_5_refused_by_the_rules(shop: Shell) -> None:
    ends(shop.run(apply("a2", reason="boredom")), ExitStatus.REFUSED)
    ends(shop("finance", "release", "E1-R1", "--actor", "finance:wang"), ExitStatus.REFUSED)
    ends(shop("run", "input.jsonl", "--platform", "ebay"), ExitStatus.REFUSED)


def test_6_not_permitted(shop: Shell) -> None:
    ends(shop("ticket", "approve", "E2-R1", "--actor", "buyer:alice"), ExitStatus.NOT_PERMITTED)


def _broken_rule(_: RuleInput) -> Verdict:
    raise KeyError("colour")


def test_7_plugin_fault_names_the_plugin_and_the_rest_goes_on(shell: Shell) -> None:
    rule = Rule("broken_rule", _broken_rule, types=("return_refund",))
    shell.registry = registry(broken=plugin(reverseflow_rules=[rule]))
    answer = shell.run(order("E1"), delivered("E2"), take_back(), apply())
    ends(answer, ExitStatus.DONE_IN_PART)
    assert [(), (), ("plugin_failed",), ()] == [codes for _, _, codes in answer.outcomes]
    assert "rule broken_rule of plugin broken raised KeyError" in answer.err
    ends(shell.run(take_back("r9")), ExitStatus.PLUGIN_FAULT)
    asked = ("E2", "--type", "return_refund", "--reason", "size_fit", "--line", "B=1")
    said = ends(shell("quote", *asked), ExitStatus.PLUGIN_FAULT)
    assert "plugin broken" in said
    applied = shell("ticket", "apply", *asked, "--actor", "buyer:alice")
    ends(applied, ExitStatus.PLUGIN_FAULT)


def test_7_many_plugin_faults_in_a_row_stop_the_batch(shell: Shell) -> None:
    rule = Rule("broken_rule", _broken_rule)
    shell.registry = registry(broken=plugin(reverseflow_rules=[rule]))
    records = [order(), *(apply(f"a{number}") for number in range(50))]
    assert "plugin_stopped_batch" in ends(shell.run(*records), ExitStatus.PLUGIN_FAULT)


def test_10_a_file_that_is_no_store_is_damage(shop: Shell) -> None:
    (shop.folder / "damaged.db").write_bytes(b"no database at all " * 100)
    said = ends(shop("ticket", "list", "--db", "damaged.db"), ExitStatus.DAMAGE_FOUND)
    assert "store_damaged" in said


def test_8_store_unavailable_is_safe_to_run_again(shop: Shell) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    said = ends(shop("ticket", "list", "--db", url), ExitStatus.STORAGE_UNAVAILABLE)
    assert "store_unavailable" in said


def test_8_a_store_somebody_keeps_locked_is_unavailable(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reverseflow.storage.database.BUSY_SECONDS", 0.1)
    other = sqlite3.connect(shop.folder / "reverseflow.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        approve = ("ticket", "approve", "E2-R1", "--actor", "operations:li")
        said = ends(shop(*approve), ExitStatus.STORAGE_UNAVAILABLE)
    finally:
        other.close()
    assert "store_unavailable" in said and "safe to run again" in said
    shop.done(*approve)


def test_9_schema_mismatch(shop: Shell) -> None:
    with sqlite3.connect(shop.folder / "reverseflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    assert "schema_mismatch" in ends(shop("ticket", "list"), ExitStatus.SCHEMA_MISMATCH)


def test_10_verify_finds_damage(shop: Shell) -> None:
    shop.done("verify")
    with sqlite3.connect(shop.folder / "reverseflow.db") as connection:
        connection.execute("UPDATE payments SET refunded = refunded + 1")
    connection.close()
    answer = shop("verify")
    ends(answer, ExitStatus.DAMAGE_FOUND)
    assert "E1" in answer.out
    found = shop("verify", "--json").lines
    assert {"order_no", "seq", "code", "message"} <= set(found[0])


@attrs.define
class Gateway:
    """A mover that always gives one result."""

    result: str

    def connect(self, _: Mapping[str, str]) -> Deliver:
        return self.deliver

    def deliver(self, instructions: Sequence[JsonObject]) -> Sequence[Delivery]:
        return [Delivery(told["key"], self.result, message="so it is") for told in instructions]


@pytest.mark.parametrize("result", ["failed", "unknown"])
def test_11_downstream_unresolved(shop: Shell, result: str) -> None:
    mover = Mover("gateway", Gateway(result).connect)
    shop.registry = registry(broken=plugin(reverseflow_movers=[mover]))
    answer = shop("outbox", "run", "--mover", "gateway")
    assert f"1 {result}" in ends(answer, ExitStatus.DOWNSTREAM_UNRESOLVED)


def test_130_interrupted_says_how_to_go_on(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "execute", interrupted)
    said = ends(shop("run", "input.jsonl"), ExitStatus.INTERRUPTED)
    assert "Run the same command again to go on" in said


def test_every_status_has_its_test() -> None:
    tested = {name.split("_")[1] for name in vars(sys.modules[__name__]) if name.startswith("test_")}
    assert {str(int(status)) for status in ExitStatus} <= tested


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("reverseflow.reports.lifecycle.draw", broken)
    with pytest.raises(SystemExit) as left:
        main(["--debug", "lifecycle"])
    assert ExitStatus.INTERNAL_ERROR == left.value.code
    assert "Traceback" in capsys.readouterr().err


def test_the_outbox_delivers_to_a_file_and_money_is_settled(shop: Shell) -> None:
    assert "1 delivered, 1 settled" in shop.done("outbox", "run", "--out", "money.jsonl").err
    (told,) = shop.done("outbox", "list", "--json").lines
    assert ("E1-R1:refund:p1", "refund", "delivered") == (told["key"], told["kind"], told["state"])
    assert "E1-R1:refund:p1" in (shop.folder / "money.jsonl").read_text()
    assert "0 delivered" in shop.done("outbox", "run", "--out", "money.jsonl").err


def test_a_failed_instruction_is_sent_again_by_hand(shop: Shell) -> None:
    shop.registry = registry(broken=plugin(reverseflow_movers=[Mover("gateway", Gateway("failed").connect)]))
    shop("outbox", "run", "--mover", "gateway")
    retried = shop("outbox", "retry", "E1-R1", "--actor", "finance:wang")
    ends(retried, ExitStatus.DONE)
    assert "1 settled" in shop.done("outbox", "run").err


def test_timers_move_what_is_overdue(shop: Shell) -> None:
    assert "0 tickets moved on" in shop.done("timers", "run", "--now", "2026-05-01T04:00:00Z").err
    answer = shop.done("timers", "run", "--now", NOW.replace("-05-05", "-06-05"), "--json")
    assert {"E1-R1", "E2-R1"} == {line["ticket_no"] for line in answer.lines}
