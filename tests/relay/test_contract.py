"""What we use of aiortc, aioice and pylibsrtp that they do not promise. An upgrade that moves it fails here."""

import ast
import importlib
import inspect
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport, rtcdtlstransport, rtp
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

import camera_hub
from camera_hub.errors import HubError, Kind
from camera_hub.relay import __main__ as relay_main
from camera_hub.relay import lean_imports, libraries
from camera_hub.relay.libraries import VERSIONS, check_versions

ROOT = Path(__file__).parents[2]
PACKAGE = Path(camera_hub.__file__).parent
LIBRARIES = {"aiortc", "aioice", "pylibsrtp"}
PRIVATE = {
    "_set_role": "RTCDtlsTransport",
    "_srtp_profiles": "RTCDtlsTransport",
    "_tx_srtp": "RTCDtlsTransport",
    "_rx_srtp": "RTCDtlsTransport",
    "_send_rtp": "RTCDtlsTransport",
    "_srtp": "Session",
    "_binding": "pylibsrtp",
}
"""Every private name of theirs that the product uses, and whose it is. Each has its test below."""
OURS = {"_recv": "IcePeer", "_send": "IcePeer"}
"""Private names that are ours to define, because aiortc calls them."""


GCM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


class Ice:
    role = "controlled"
    state = "completed"


@pytest.fixture
async def dtls() -> RTCDtlsTransport:
    return RTCDtlsTransport(Ice(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]  # all it needs


def private_names(path: Path) -> set[str]:
    """Private names of others in one module: `other._name`, and private modules that it imports from."""
    source = path.read_text("utf-8")
    if not any(library in source for library in LIBRARIES):
        return set()  # without parsing all the others
    tree = ast.parse(source)
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    if not any(module.split(".")[0] in LIBRARIES for module in modules):
        return set()
    theirs = [module for module in modules if module.split(".")[0] in LIBRARIES]
    found = {part for module in theirs for part in module.split(".") if part.startswith("_")}
    for node in ast.walk(tree):
        own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr) and not own:
            found.add(node.attr)
    return found - {"__future__"}


def test_every_private_name_in_use_stands_in_this_contract_and_in_one_module() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    used = {path.name: private_names(path) - OURS.keys() for path in modules}
    assert {name for name, found in used.items() if found} == {"libraries.py"}
    assert used["libraries.py"] == PRIVATE.keys()


def test_the_versions_that_the_relay_asserts_are_the_pinned_and_the_installed_ones() -> None:
    assert VERSIONS.keys() == LIBRARIES
    assert {name: metadata.version(name) for name in LIBRARIES} == VERSIONS
    check_versions()


@pytest.mark.parametrize("name", ["aiortc", "no-such-library"])
def test_another_version_is_an_error_with_cause_and_remedy(name: str) -> None:
    with pytest.raises(HubError) as caught:
        check_versions({name: "0.0.1"})
    assert f"needs {name} 0.0.1 and found {dict(VERSIONS).get(name, 'none')}" in caught.value.detail
    assert f"pip install {name}==0.0.1" in caught.value.detail
    assert "\n" not in caught.value.detail


def test_a_relay_process_with_another_version_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise HubError(Kind.UNAVAILABLE, "the relay needs aiortc 1.16.0 and found 9")

    monkeypatch.setattr(libraries, "check_versions", refuse)
    monkeypatch.setattr(sys, "argv", ["camera_hub.relay", "--fd", "0"])
    with pytest.raises(SystemExit) as caught:
        relay_main.main()
    assert caught.value.code == "camera_hub.relay: the relay needs aiortc 1.16.0 and found 9"


def test_what_aiortc_calls_of_ours_is_there() -> None:
    source = (PACKAGE / "relay" / "webrtc" / "ice.py").read_text("utf-8")
    assert "async def _recv(self) -> bytes" in source
    assert "async def _send(self, data: bytes) -> None" in source


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_their_versions_are_pinned_exactly(library: str) -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'"{library}=={metadata.version(library)}"' in project


@pytest.mark.parametrize("name", sorted(name for name, owner in PRIVATE.items() if owner == "RTCDtlsTransport"))
async def test_the_dtls_transport_has(dtls: RTCDtlsTransport, name: str) -> None:
    assert hasattr(dtls, name)


async def test_the_dtls_transport_takes_its_datagrams_from_recv_and_send() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(data)" in source
    assert 'emit("statechange")' in source


def test_the_receiving_session_opens_srtcp_and_refuses_what_is_forged_with_an_error_of_its_own() -> None:
    key = bytes(range(28))
    policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=GCM)
    packet = bytes(rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_PLI, ssrc=1, media_ssrc=7))
    protected = Session(policy).protect_rtcp(packet)
    opened = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=GCM))
    assert opened.unprotect_rtcp(protected) == packet
    with pytest.raises(SrtpError):
        opened.unprotect_rtcp(protected)
    with pytest.raises(SrtpError):
        opened.unprotect_rtcp(protected[:9] + bytes(1) + protected[10:])
    assert "self._rx_srtp = Session(" in inspect.getsource(RTCDtlsTransport)


def test_the_profiles_we_choose_among() -> None:
    assert rtcdtlstransport.SRTP_AEAD_AES_128_GCM in rtcdtlstransport.SRTP_PROFILES
    assert rtcdtlstransport.SRTP_AES128_CM_SHA1_80 in rtcdtlstransport.SRTP_PROFILES


@pytest.mark.parametrize("profile", [GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80])
def test_srtp_protects_in_place_and_a_foreign_session_opens_it(profile: int) -> None:
    key = bytes(range(30)) if profile != GCM else bytes(range(28))
    session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    packet = rtp.RtpPacket(payload_type=96, sequence_number=9, timestamp=1, ssrc=3, payload=b"hello" * 20).serialize()
    raw, length = ffi.new("unsigned char[]", 2048), ffi.new("int *")
    ffi.buffer(raw)[0 : len(packet)] = packet
    length[0] = len(packet)
    assert lib.srtp_protect(session._srtp[0], raw, length) == lib.srtp_err_status_ok
    trailer = 10 if profile == Policy.SRTP_PROFILE_AES128_CM_SHA1_80 else 16
    assert length[0] == len(packet) + trailer  # always the same: the press lays a whole run out before it is encrypted
    other = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
    assert other.unprotect(bytes(ffi.buffer(raw)[0 : length[0]])) == packet


async def test_a_role_that_was_set_is_kept_and_the_profiles_are_offered_in_our_order(dtls: RTCDtlsTransport) -> None:
    dtls._set_role("server")
    start = inspect.getsource(RTCDtlsTransport.start)
    assert dtls._role == "server"
    assert "self._srtp_profiles" in start
    assert 'if self._role == "auto"' in start


async def test_the_transport_passes_first_bytes_of_dtls() -> None:
    source = inspect.getsource(RTCDtlsTransport._recv_next)
    assert "first_byte > 19 and first_byte < 64" in source


def test_libsrtp_does_not_stop_a_sender_that_repeats_itself() -> None:
    """Why tests/relay/test_srtp_safety.py is needed. If this fails, libsrtp has become the second lock: keep both."""
    policy = Policy(key=bytes(28), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=GCM)
    policy.allow_repeat_tx = True
    session = Session(policy)
    one, other = (
        session.protect(rtp.RtpPacket(sequence_number=9, ssrc=3, payload=payload).serialize())
        for payload in (b"one", b"two")
    )
    assert bytes(a ^ b for a, b in zip(one[12:15], other[12:15], strict=True)) == bytes(
        a ^ b for a, b in zip(b"one", b"two", strict=True)
    ), "the same key stream twice"


def test_the_stun_codec_checks_integrity() -> None:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"secret")
    read = stun.parse_message(bytes(message))
    assert read.check_message_integrity(b"secret")
    assert not read.check_message_integrity(b"other")


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(module)))


@pytest.mark.parametrize("module", lean_imports.USED)
@pytest.mark.parametrize("name", lean_imports.ANNOTATIONS.values())
def test_what_a_relay_does_not_load_is_used_in_annotations_alone(module: str, name: str) -> None:
    """In the used modules, and in those of the same package that they import."""
    package, seen, waiting = module.partition(".")[0], set[str](), [module]
    while waiting:
        one = waiting.pop()
        if one in seen or one in lean_imports.ANNOTATIONS:
            continue
        seen.add(one)
        tree = parsed(one)
        annotations = {
            id(part)
            for node in ast.walk(tree)
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
            if annotation is not None
            for part in ast.walk(annotation)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == name:
                assert id(node) in annotations, f"{one}, line {node.lineno}"
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [alias.name for alias in node.names] if node.module is None else [node.module]
                waiting += [f"{package}.{imported}" for imported in names]
    assert module in seen


def test_the_version_is_read_where_the_installer_left_no_record_beside_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libraries, "_installed", lambda name, version: False)
    check_versions()
    with pytest.raises(HubError, match=r"found none"):
        check_versions({"no-such-library": "1"})
