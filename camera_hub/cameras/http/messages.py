"""What is asked of a device over HTTP, and what it answers. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from camera_hub.errors import HubError, Kind, Reason


@dataclass(frozen=True, slots=True)
class HttpPeer:
    """Where a device is reached. `address` is the IP that `host` was resolved to once; no other is connected to.

    `tls` None: the scheme is not known; port 443 is tried with TLS first, any other one without.
    """

    host: str
    address: str
    port: int
    tls: bool | None = None

    @property
    def secure(self) -> bool:
        return self.tls if self.tls is not None else self.port == 443

    @property
    def authority(self) -> str:
        """Value of the Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`path` with its query. `safe`: may be sent again when a kept connection turns out to be dead.

    `signed`: it carries a login, in a header or in the body; such a request is never repeated elsewhere.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    safe: bool = True
    signed: bool = False


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Header names are in lower case; a value beyond ASCII is UTF-8 where it can be, else Latin-1.

    `framing`: how its framing was wrong ("long": it announced more than it sent, "short", "chunked"), "" if it was not.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    framing: str = ""

    def all(self, name: str) -> list[str]:
        """The values of every header of that name (in lower case)."""
        return [value for one, value in self.headers if one == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """`reply_bytes`: a body as sent, and as decoded. `quiet`: seconds without a byte after which an error's body, or
    one without any framing, is taken as complete. `tail`: seconds that the last bytes of a body may take whose contents
    are complete, so that the connection can be kept. `idle`: seconds that an unused connection is kept.
    """

    reply_bytes: int = 1024 * 1024
    quiet: float = 1.0
    tail: float = 0.1
    idle: float = 6.0


def bad_reply(what: str) -> HubError:
    """The error for an answer that cannot be read."""
    return HubError(Kind.UNREACHABLE, f"the device's answer cannot be read ({what})", reason=Reason.BAD_REPLY)


def too_large(limit: int) -> HubError:
    """The error for an answer beyond what is read."""
    return HubError(Kind.UNREACHABLE, f"the device's answer is over {limit // 1024} KiB", reason=Reason.REPLY_TOO_LARGE)
