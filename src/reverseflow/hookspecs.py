"""The whole contract with plugin authors: what a plugin may register, and when it is asked.

Every hook is called once, when an `Engine` is made; it returns a list of values and does nothing
else. Plugins are asked in the order of their names. What a hook returns is checked: a wrong type,
or a code two plugins claim, is refused with the plugins' names and the engine does not start. A
hook that raises is reported under the plugin's name; the plugin then counts as failed and none
of what it registers is used.
"""

import pluggy

from reverseflow.contracts import CliCommand, EventListener, InputReader, Mover
from reverseflow.core.rulebook import FeeFormula, Platform, Reason, Rule

PROJECT = "reverseflow"
#: The versions of this contract the engine works with; a plugin says its own in `API_VERSION`.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def reverseflow_platforms() -> list[Platform]:
    """The channels the plugin serves, each with its dated policies and deadlines.

    Called at start. Return `Platform` values; a code another plugin claims is refused.
    """
    return []


@hookspec
def reverseflow_reasons() -> list[Reason]:
    """The reasons a buyer may give, for one platform (or ``"*"``: for all of them).

    Called at start. Return `Reason` values; a platform's own reason goes before a general one
    of the same code, two of the same platform and code are refused.
    """
    return []


@hookspec
def reverseflow_rules() -> list[Rule]:
    """Checks of an application: each accepts, refers to a person, refuses or has no opinion.

    Called at start; `Rule.check` is called for each application and must be pure. When it raises
    or returns anything but a `Verdict` or None, that ticket fails with the plugin's name.
    """
    return []


@hookspec
def reverseflow_fees() -> list[FeeFormula]:
    """Fees the buyer bears, such as a restocking fee.

    Called at start; `FeeFormula.compute` is called for each quote and must be pure. When it raises
    or returns anything but `Money` from 0 to the base, that ticket fails with the plugin's name.
    """
    return []


@hookspec
def reverseflow_readers() -> list[InputReader]:
    """Readers that turn a channel's files into the neutral records.

    Called at start; `InputReader.read` is called for each file of a batch. When it raises an
    `InputError` the file is refused; any other exception is a fault of the plugin.
    """
    return []


@hookspec
def reverseflow_movers() -> list[Mover]:
    """Gateways and warehouse systems that carry out money and stock instructions.

    Called at start; `Mover.connect` is called when the outbox runs, outside every transaction.
    When a delivery raises, its result is unknown: the amount stays reserved and the same key is
    tried again later.
    """
    return []


@hookspec
def reverseflow_listeners() -> list[EventListener]:
    """Functions told of events after they were committed.

    Called at start; `EventListener.notify` is called after each commit with its events. When it
    raises, the fault is logged with the plugin's name and nothing else happens.
    """
    return []


@hookspec
def reverseflow_commands() -> list[CliCommand]:
    """Further commands of the ``reverseflow`` command line.

    Called at start; asked for by name when the command line has no command of its own of that
    name. Two plugins with the same name are refused.
    """
    return []
