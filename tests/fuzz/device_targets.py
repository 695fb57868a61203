"""Targets beside the relay: challenges, discovery datagrams and addresses, as devices and strangers send them."""

from collections.abc import Callable

from camera_hub.cameras import urls
from camera_hub.cameras.discovery.ws_discovery import announced
from camera_hub.errors import HubError
from camera_hub.http_auth import MAX_HEADERS, Authenticator, AuthOutcome, read_challenges

SECRET = "pass-word-of-the-fuzzer"
BASIC = "Basic YWRtaW46cGFzcy13b3JkLW9mLXRoZS1mdXp6ZXI="
SENDER = "192.0.2.7"


class _Anything:
    """Whatever a datagram relates to is ours, so that its body is read."""

    def __contains__(self, _: object) -> bool:
        return True


def auth(data: bytes) -> None:
    """WWW-Authenticate headers, one a line; an empty line ends those of one answer. Some twenty answers in turn."""
    answers = [part.split("\n") for part in data.decode("latin-1").split("\n\n")][:20]
    known = {challenge.scheme for answer in answers for challenge in read_challenges(answer)}
    for basic in (True, False):
        login = Authenticator("admin", SECRET, basic=basic)
        sent = 0
        for answer in answers:
            outcome = login.unauthorized(answer)
            if outcome is not AuthOutcome.TRY:
                break
            signed = login.authorization("DESCRIBE", "rtsp://192.0.2.7/live", "c") or ""
            sent += 1
            assert SECRET not in signed
            assert "\r" not in signed
            assert "\n" not in signed
            assert signed != BASIC or (basic and "basic" in known and not login.digest_seen)
        assert sent <= len(answers)
    assert len(read_challenges(answers[0] * 50)) <= MAX_HEADERS * 64


def discovery(data: bytes) -> None:
    """A datagram of WS-Discovery; what it announces is short, plain and at its sender's address."""
    for one in announced(data, SENDER, _Anything()):
        assert one.host == SENDER
        assert 0 < one.port < 65536
        assert len(one.endpoint) <= 128
        assert one.path.startswith("/")
        for text in (one.name, one.model, one.manufacturer, one.mac):
            assert len(text) <= 64
            assert text.isprintable()


def url(data: bytes) -> None:
    """A stream's address, typed by a person or told by a device, which names no other host than its own."""
    text = data.decode("utf-8", "replace")
    for read in (urls.stream_url, lambda one: urls.onto(one, SENDER)):
        found, words = None, ""
        try:
            found = read(text)
        except HubError as error:
            words = str(error)
        assert SECRET not in words
        if found is None:
            continue
        assert found.url.isascii()
        assert found.url.isprintable()
        assert "@" not in found.url.split("/")[2]
        assert 0 < found.port < 65536
        assert urls.known(found.url).host == found.host
        if read is not urls.stream_url:
            assert found.host == SENDER
        assert SECRET not in urls.redacted(found.url, SECRET)
        assert SECRET not in found.repaired
    assert urls.service_path(text, "/onvif/device_service").startswith("/")


DEVICE_TARGETS: dict[str, Callable[[bytes], None]] = {"auth": auth, "discovery": discovery, "url": url}
