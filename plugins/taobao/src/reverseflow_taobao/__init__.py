"""Taobao (淘宝) and Tmall (天猫): their platforms and reasons, and a reader of TOP payloads."""

from reverseflow import InputReader, Platform, Reason, hookimpl
from reverseflow_taobao.payloads import READER
from reverseflow_taobao.platforms import PLATFORMS
from reverseflow_taobao.reasons import REASONS

API_VERSION = 1


@hookimpl
def reverseflow_platforms() -> list[Platform]:
    """`taobao` and `tmall`."""
    return list(PLATFORMS)


@hookimpl
def reverseflow_reasons() -> list[Reason]:
    """The reasons a buyer may give there, one set for each of the two."""
    return list(REASONS)


@hookimpl
def reverseflow_readers() -> list[InputReader]:
    """Payloads of the Taobao Open Platform (TOP)."""
    return [READER]
