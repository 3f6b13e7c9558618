"""A shell with the ``reverseflow`` command: in this process for most tests, in its own for a few."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner

import reverseflow_generic_web
from reverseflow.cli import cli
from reverseflow.cli.faults import reported
from reverseflow.plugins import Registry, registry_of

NOW = "2026-05-05T10:00:00+08:00"
#: The command with the plugins of this test run, for a process of its own.
PROGRAM = """
import sys
import reverseflow_generic_web
from reverseflow.cli import cli
from reverseflow.cli.faults import reported
from reverseflow.plugins import registry_of
told = {"registry": registry_of({"generic_web": reverseflow_generic_web})}
run = lambda: cli.main(sys.argv[1:], "reverseflow", standalone_mode=False, obj=told)
sys.exit(reported(run))
"""


@attrs.frozen
class Answer:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON Lines of standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        """The one JSON value of standard output."""
        (only,) = self.lines
        return only

    @property
    def outcomes(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Of result lines: kind, outcome, codes."""
        return [(line["kind"], line["outcome"], tuple(line["codes"])) for line in self.lines]


def registry(**plugins: object) -> Registry:
    """The plugins of this test run: generic_web and those given."""
    return registry_of({"generic_web": reverseflow_generic_web, **plugins})


@attrs.define
class Shell:
    """Runs commands in a folder of its own; calling it is typing a command."""

    folder: Path
    registry: Registry = attrs.field(factory=registry)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Answer:
        with CliRunner().isolation(stdin) as (out, err, _):
            status = reported(self._call(arguments))
        return Answer(status, out.getvalue().decode(), err.getvalue().decode())

    def _call(self, arguments: Iterable[str]) -> Callable[[], Any]:
        told = {"registry": self.registry}
        return lambda: cli.main(list(arguments), "reverseflow", standalone_mode=False, obj=told)

    def done(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """A command that must end with status 0."""
        answer = self(*arguments, stdin=stdin)
        assert answer.status == 0, answer
        return answer

    def result(self, *arguments: str) -> Any:
        """The one result line of a command on a ticket, carried out at `NOW`."""
        return self(*arguments, "--json", "--now", NOW).document

    def write(self, name: str, *records: Mapping[str, Any] | str, encoding: str = "utf-8") -> str:
        """A file of records or of lines; its name."""
        lines = [line if isinstance(line, str) else json.dumps(line) for line in records]
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding)
        return name

    def run(self, *records: Mapping[str, Any] | str, options: Iterable[str] = ()) -> Answer:
        """``reverseflow run`` on these records, the result lines on standard output."""
        return self("run", self.write("input.jsonl", *records), "--json", *options)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        """The command as a process of its own."""
        environment = {**options.pop("env", os.environ)}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder, env=environment, **options,
        )  # fmt: skip

    def digest(self, name: str = "reverseflow.db") -> str:
        """The hash of a file, empty when there is none."""
        path = self.folder / name
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def line(line_no: str, title: str, quantity: int, unit_price: str) -> dict[str, Any]:
    """A line of goods; its SKU is ``SKU-<line_no>``."""
    goods = {"line_no": line_no, "sku": f"SKU-{line_no}", "title": title}
    return {**goods, "quantity": quantity, "unit_price": unit_price}


def order(order_no: str = "E1", **facts: Any) -> dict[str, Any]:
    """The order of the format's page: one A for 100.00, two B for 50.00, a coupon, shipping."""
    return {
        "order": {
            "order_no": order_no,
            "shop": "demo",
            "currency": "CNY",
            "placed_at": "2026-05-01T10:00:00+08:00",
            "paid_at": "2026-05-01T10:01:00+08:00",
            "buyer": {
                "account": "alice", "level": "vip2", "name": "张三", "phone": "13800004567",
                "address": "浙江省杭州市西湖区文三路1号",
            },
            "lines": [
                line("A", "红色连衣裙", 1, "100.00"),
                line("B", "shirt", 2, "50.00"),
            ],
            "discounts": [{"code": "coupon-20", "amount": "20.00", "funded_by": "seller"}],
            "shipping": {"fee": "10.00", "discount": "0.00", "tax": "0.00"},
            "payments": [
                {"payment_no": "p1", "tender": "cash", "amount": "190.00", "funded_by": "buyer"}
            ],
            **facts,
        }
    }  # fmt: skip


def delivered(order_no: str = "E2", **facts: Any) -> dict[str, Any]:
    """The same order, shipped and received."""
    times = {
        "shipped_at": "2026-05-02T10:00:00+08:00",
        "received_at": "2026-05-03T10:00:00+08:00",
    }
    return order(order_no, **times, **facts)


def apply(id_: str = "a1", order_no: str = "E1", **facts: Any) -> dict[str, Any]:
    """The application of the format's page: refund one B of an unshipped order."""
    return {
        "apply": {
            "id": id_,
            "order_no": order_no,
            "type": "refund_only",
            "lines": [{"line_no": "B", "quantity": 1}],
            "reason": "not_wanted",
            "actor": "buyer:alice",
            "at": "2026-05-01T11:00:00+08:00",
            **facts,
        }
    }


def take_back(id_: str = "r1", order_no: str = "E2", **facts: Any) -> dict[str, Any]:
    """An application to send both B of a delivered order back."""
    told = {
        "type": "return_refund",
        "reason": "size_fit",
        "lines": [{"line_no": "B", "quantity": 2}],
        "at": "2026-05-04T10:00:00+08:00",
    }
    return apply(id_, order_no, **(told | facts))
