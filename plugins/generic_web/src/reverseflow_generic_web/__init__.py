"""An ordinary web shop: its policy, and readers of a ledger and of Shopify's payloads."""

from reverseflow import InputReader, Platform, hookimpl
from reverseflow_generic_web import ledger, platform, shopify

API_VERSION = 1


@hookimpl
def reverseflow_platforms() -> list[Platform]:
    """The platform ``generic_web``."""
    return [platform.PLATFORM]


@hookimpl
def reverseflow_readers() -> list[InputReader]:
    """The ledger and Shopify readers; the neutral format is read by the engine itself."""
    return [ledger.READER, shopify.READER]
