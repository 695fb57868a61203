"""How often a login may be tried on a device: twice, then after half an hour, then every six hours. Pure.

Cameras lock the hub out after a few wrong passwords (reliability A8). A changed login is a new one and tried at once.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from camera_hub.cameras.onvif.login import Login
from camera_hub.errors import HubError, Kind, Reason

FREE_TRIES = 2
FIRST_PAUSE = 30 * 60.0
LATER_PAUSE = 6 * 3600.0
_LIMIT = 4096


@dataclass(slots=True)
class _Refusals:
    count: int
    until: float
    reason: str


class LoginBudget:
    """Remembers refused logins per device; times are the hub's monotonic seconds."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._refused: OrderedDict[bytes, _Refusals] = OrderedDict()

    def check(self, device: str, login: Login, now: float) -> None:
        """Raise HubError with the earlier reason while the login must not be tried on that device."""
        entry = self._refused.get(self._key(device, login))
        if entry is not None and now < entry.until:
            minutes = max(1, round((entry.until - now) / 60))
            raise HubError(
                Kind.UNREACHABLE,
                f"the device refused this login; it is not tried again for {minutes} min, so that the device does not"
                " lock the hub out; correct the login",
                reason=entry.reason,
                minutes=minutes,
            )

    def refused(self, device: str, login: Login, now: float, reason: str = Reason.WRONG_PASSWORD) -> None:
        """Note a refused proof."""
        key = self._key(device, login)
        entry = self._refused.setdefault(key, _Refusals(0, 0.0, reason))
        entry.count += 1
        entry.reason = reason
        if reason == Reason.LOCKED_OUT or entry.count >= FREE_TRIES:
            entry.until = now + (FIRST_PAUSE if entry.count <= FREE_TRIES else LATER_PAUSE)
        self._refused.move_to_end(key)
        while len(self._refused) > _LIMIT:
            self._refused.popitem(last=False)

    def accepted(self, device: str, login: Login) -> None:
        """Forget earlier refusals: the login works."""
        self._refused.pop(self._key(device, login), None)

    def _key(self, device: str, login: Login) -> bytes:
        text = "\0".join((device, login.username, login.password))
        return hashlib.blake2b(text.encode(), key=self._secret).digest()
