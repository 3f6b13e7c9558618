"""Choosing the mover that carries instructions out."""

from collections.abc import Mapping

from reverseflow.contracts import Deliver
from reverseflow.core.errors import PluginError, ReverseFlowError, UsageError, shown
from reverseflow.plugins import Registry

DEFAULT = "file"


def connect_movers(
    registry: Registry, name: str = DEFAULT, options: Mapping[str, str] | None = None
) -> Mapping[str, Deliver]:
    """The function that delivers, by kind of instruction, of the mover with this name.

    `UsageError` for an unknown mover (or from the mover, about its options), `PluginError` when
    it cannot connect. Instructions of kinds it does not serve stay in line for another one.
    """
    mover = registry.movers.get(name)
    if mover is None:
        known = ", ".join(sorted(registry.movers)) or "none"
        raise UsageError("unknown_mover", f"no plugin has a mover {shown(name)}; known: {known}")
    try:
        deliver = mover.connect(dict(options or {}))
    except (ReverseFlowError, OSError):
        raise
    except Exception as error:
        raise PluginError(
            "mover_failed",
            f"the mover {name} of plugin {mover.plugin} cannot connect: {type(error).__name__}: {error}",
        ) from error
    if not callable(deliver):
        raise PluginError(
            "plugin_contract",
            f"plugin {mover.plugin}: the mover {name} connected to {shown(deliver)}, no function",
        )
    return dict.fromkeys(mover.kinds, deliver)
