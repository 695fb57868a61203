"""What a device's login is for, and which one is used where a purpose has none of its own. Pure.

A device has at most one login for each purpose: one of its own, or that of a login profile; giving it the one takes the
other away. For a purpose the login is taken in this order:

1. the device's own login for that purpose,
2. that of the profile that it has for that purpose,
3. the device's own ordinary login,
4. that of the profile that it has for `ordinary`.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

Purpose = Literal["ordinary", "onvif", "rtsp", "http"]
"""`ordinary` is the device's own user; `onvif`: where it has separate ONVIF users; `http`: the vendor's interface."""

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_FALLBACKS: dict[Purpose, tuple[Purpose, ...]] = {
    "ordinary": ("ordinary",),
    "onvif": ("onvif", "ordinary"),
    "rtsp": ("rtsp", "ordinary"),
    "http": ("http", "ordinary"),
}

T = TypeVar("T")


def serving(purpose: Purpose, stored: Mapping[str, T]) -> T | None:
    """The login to use for the purpose, out of a device's logins by purpose; None when none fits."""
    return next((stored[one] for one in _FALLBACKS[purpose] if one in stored), None)
