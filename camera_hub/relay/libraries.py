"""aiortc, aioice and pylibsrtp: the exact versions, and every private name of theirs that is used.

Nothing else in the house touches a private name of these libraries (tests/relay/test_contract.py). `ffi` and `lib` are
None where this pylibsrtp has no such binding; see `srtp_pointer_works`.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aiortc.rtcdtlstransport import RTCDtlsTransport, SRTPProtectionProfile
from pylibsrtp import Session

from camera_hub.errors import HubError, Kind

ffi: Any = None
lib: Any = None
try:
    from pylibsrtp import _binding
except ImportError:  # the plain sender does without it
    pass
else:
    ffi, lib = _binding.ffi, _binding.lib

VERSIONS = {"aioice": "0.13.0", "aiortc": "1.16.0", "pylibsrtp": "1.0.0"}
"""As pyproject.toml pins them. To change one, check the private names below against its source, and run the tests."""


def check_versions(wanted: dict[str, str] = VERSIONS) -> None:
    """Raises HubError(UNAVAILABLE) when a library is missing or of another version."""
    for name, version in wanted.items():
        if _installed(name, version):
            continue
        from importlib import metadata  # 2 MB that a relay whose libraries are right does without

        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            raise HubError(
                Kind.UNAVAILABLE,
                f"the relay needs {name} {version} and found {found}, whose private parts may differ; "
                f"run: pip install {name}=={version}",
            )


def _installed(name: str, version: str) -> bool:
    """Whether the installer's record of this version lies beside the package that is imported."""
    spec = find_spec(name)
    places = (spec.submodule_search_locations or ()) if spec is not None else ()
    return any((Path(place).parent / f"{name}-{version}.dist-info").is_dir() for place in places)


def srtp_pointer(session: Session) -> Any:
    """libsrtp's own handle of a session, for calls into C without a copy."""
    return session._srtp[0]


def srtp_pointer_works() -> bool:
    """Whether `ffi`, `lib` and `srtp_pointer` can be used with this pylibsrtp."""
    return ffi is not None and hasattr(lib, "srtp_protect") and "_srtp" in vars(Session())


def set_dtls_role(transport: RTCDtlsTransport, role: str, profiles: list[SRTPProtectionProfile]) -> None:
    """`role`: "server" answers the handshake, "client" begins it. `profiles` of SRTP, best first."""
    transport._set_role(role)
    transport._srtp_profiles = profiles


def srtp_sessions(transport: RTCDtlsTransport) -> tuple[Session, Session]:
    """(sending, receiving) of a connected transport."""
    return transport._tx_srtp, transport._rx_srtp


async def send_srtp(transport: RTCDtlsTransport, packet: bytes) -> None:
    """Encrypt and send one RTP or RTCP packet by aiortc itself (the bench's viewers)."""
    await transport._send_rtp(packet)
