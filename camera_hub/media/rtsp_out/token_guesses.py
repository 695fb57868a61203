"""The brake on guessing stream tokens: addresses that showed too many unknown ones. Bounded in memory; no I/O.

A token has 128 random bits, so guessing is hopeless; what is braked is the work that it makes. A good token is accepted
whatever else its address shows: players behind one router must not lock each other out.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

from camera_hub.errors import HubError, Kind

ALLOWED = 20
"""Unknown tokens that an address may show at once …"""
SECONDS_EACH = 3.0
"""… and how long it takes until one of them is forgotten."""
MAX_ADDRESSES = 4096


class TokenGuesses:
    """`now`: monotonic seconds. An IPv6 address counts with its /64."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._forgotten_at: OrderedDict[str, float] = OrderedDict()  # when an address has nothing held against it

    def wrong(self, address: str) -> None:
        """The address has shown a token that there is not. Raises HubError(BUSY, params: retry_in) beyond the limit."""
        now, group = self._now(), _group(address)
        until = max(self._forgotten_at.pop(group, now), now) + SECONDS_EACH
        beyond = until - now - ALLOWED * SECONDS_EACH
        self._forgotten_at[group] = until if beyond <= 0 else until - SECONDS_EACH
        if len(self._forgotten_at) > MAX_ADDRESSES:
            self._forgotten_at.popitem(last=False)
        if beyond > 0:
            raise HubError(
                Kind.BUSY,
                "this address has shown too many unknown tokens; wait, and check the player's settings",
                reason="too_many_unknown_tokens",
                retry_in=round(beyond, 1),
            )


def _group(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
