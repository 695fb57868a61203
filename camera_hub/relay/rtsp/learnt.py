"""What is known of the device that a feed pulls from: what the hub has kept, and what its sessions have found since."""

from collections.abc import Callable, Iterable

from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import Peculiarity
from camera_hub.relay.rtsp.keep_alive import CutHistory


class Learnt:
    """Outlives sessions. `report` is told what is new; the hub keeps it, and sends it back with the next spec."""

    def __init__(self, report: Callable[[PeculiarityKind, str], None]) -> None:
        self._report = report
        self._address = ""
        self._known: dict[str, str] = {}
        self.cuts = CutHistory()
        self.stale_believed = True  # see Authenticator

    def of_address(self, address: str, known: Iterable[Peculiarity]) -> None:
        """A session with this address begins, of which the hub knows this."""
        if address != self._address:
            self._address = address
            self._known.clear()
            self.cuts = CutHistory()
            self.stale_believed = True
        for one in known:
            self._known.setdefault(one.kind, one.value)

    def get(self, kind: PeculiarityKind) -> str | None:
        """What is known of that kind."""
        return self._known.get(kind)

    def note(self, kind: PeculiarityKind, value: str) -> None:
        """A session has found this."""
        if self._known.get(kind) != value:
            self._known[kind] = value
            self._report(kind, value)
