"""Who is admitted at one of a device's interfaces: its doorkeeper, in the manner that the faults ask for, counted."""

from camera_hub.simulator.auth import Doorkeeper, Login, Manner, Outcome
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.state import DeviceState

REALM_WITH_BASIC = "Gate, Basic line"


class Admission:
    """Checks Authorization headers and words challenges."""

    def __init__(self, state: DeviceState, doorkeeper: Doorkeeper) -> None:
        self._state = state
        self._doorkeeper = doorkeeper
        self._answered = 0
        """Signed requests that were admitted or refused."""

    def admits(self, method: str, header: str, logins: tuple[Login, ...]) -> bool:
        """Whether the header value is valid for one of the logins. A stale nonce is no failed login."""
        stats = self._state.stats
        outcome = self._doorkeeper.check(method, header, logins, self._manner())
        if outcome is not Outcome.STALE:
            self._answered += 1
            stats.logins += 1
            stats.logins_failed += outcome is Outcome.REFUSED
        stats.basic_logins += header[:6].lower() == "basic "
        return outcome is Outcome.ADMITTED

    def challenges(self, *, signed: bool = False) -> list[tuple[str, str]]:
        """The headers of a 401; none where a signed request gets a bare one."""
        if signed and Fault.BARE_401 in self._state.faults():
            return []
        return [("WWW-Authenticate", one) for one in self._doorkeeper.challenges(self._manner())]

    def _manner(self) -> Manner:
        faults = self._state.faults()
        sly = Fault.REALM_WITH_BASIC in faults
        era = None
        if Fault.NEW_NONCE in faults:
            seconds = faults[Fault.NEW_NONCE]
            era = int(self._state.clock.monotonic() / seconds) if seconds > 0 else self._answered
        return Manner(REALM_WITH_BASIC if sly else None, sly, era)
