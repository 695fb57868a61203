"""How often a login may be tried: cameras lock an account after five or so wrong passwords, and take the owner with it.

Shared by all feeds of a device: two tries, then one after 30 minutes, then one every 6 hours; at once when the login
has been changed. Pure, the time is given.
"""

from dataclasses import dataclass

TRIES = 2
PAUSES = (30 * 60.0, 6 * 3600.0)
MAX_DEVICES = 10_000


@dataclass(slots=True)
class _Account:
    version: int
    failures: int = 0
    blocked_until: float = 0.0


class LoginBudget:
    """Failures per device. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def wait(self, device: str, version: int, now: float) -> float:
        """Seconds until this login may be tried; 0 = now."""
        account = self._accounts.get(device)
        if account is None or account.version != version:
            return 0.0
        return max(0.0, account.blocked_until - now)

    def failed(self, device: str, version: int, now: float) -> float:
        """The camera refused this login. Seconds until the next try."""
        account = self._accounts.get(device)
        if account is None or account.version != version:
            while len(self._accounts) >= MAX_DEVICES:
                self._accounts.pop(next(iter(self._accounts)))
            account = self._accounts[device] = _Account(version)
        account.failures += 1
        beyond = account.failures - TRIES
        if beyond >= 0:
            account.blocked_until = now + PAUSES[min(beyond, len(PAUSES) - 1)]
        return max(0.0, account.blocked_until - now)

    def succeeded(self, device: str) -> None:
        self._accounts.pop(device, None)
