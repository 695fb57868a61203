"""What a camera's RTSP headers say: Session, Transport, Content-Base, odd as they come. Pure (RFC 2326 section 12)."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEOUT = re.compile(r"timeout\s*=\s*\"?\s*(\d{1,9})", re.IGNORECASE)
_INTERLEAVED = re.compile(r"interleaved\s*=\s*\"?\s*(\d{1,3})", re.IGNORECASE)
_SERVER_PORT = re.compile(r"server_port\s*=\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?", re.IGNORECASE)


def read_session(text: str) -> tuple[str, int | None]:
    """Id and timeout in seconds of a Session header; None: it names none."""
    name, _, parameters = text.partition(";")
    found = _TIMEOUT.search(parameters)
    return name.strip(), int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class TransportAnswer:
    """A Transport header in the answer to SETUP. `channel`: the interleaved channel of RTP, if it names one; `ports`:
    the camera's UDP ports of RTP and RTCP."""

    channel: int | None
    ports: tuple[int, int] | None
    multicast: bool

    @property
    def interleaved(self) -> bool:
        """Whether RTP comes over the RTSP connection, as was asked for; without a word it does."""
        return self.channel is not None or (self.ports is None and not self.multicast)


def read_transport(text: str) -> TransportAnswer:
    """Never raises; what is out of range counts as not there."""
    channel = _INTERLEAVED.search(text)
    ports = _SERVER_PORT.search(text)
    pair = None
    if ports is not None and 0 < int(ports[1]) < 65535:
        rtp = int(ports[1])
        pair = (rtp, min(65535, int(ports[2] or rtp + 1)))
    words = {word.strip().lower() for word in text.split(";")}
    return TransportAnswer(
        int(channel[1]) if channel is not None and int(channel[1]) < 255 else None, pair, "multicast" in words
    )


def rebased(stated: str, own: str) -> str | None:
    """The URL of a Content-Base or Content-Location header: its path and query, on the host that is talked to whatever
    host it names. None for what is no URL."""
    text = stated.strip().strip("\"'<>").strip()
    _, scheme, rest = text.partition("://")
    if scheme:
        _, slash, path = rest.partition("/")
        path = slash + path
    else:
        path = text if text.startswith("/") else ""
    if not path or not path.isprintable() or " " in path:
        return None
    parts = urlsplit(own)
    return f"{parts.scheme}://{parts.netloc}{path}"


def control_urls(session: str | None, base: str | None, request: str, remembered: str | None) -> list[tuple[str, str]]:
    """The URLs on which PLAY and TEARDOWN may be accepted, each once, with its name: the session's own control
    attribute, Content-Base, the URL that was described. The `remembered` one comes first."""
    named = [("session", session), ("base", base), ("request", request)]
    named.sort(key=lambda one: one[0] != remembered)
    urls: dict[str, str] = {}
    for name, url in named:
        if url:
            urls.setdefault(url, name)
    return [(name, url) for url, name in urls.items()]
