"""Access control: operations that need no login, UsernameToken with its clock check, HTTP Digest."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import NoReturn

from camera_hub.simulator.admission import Admission
from camera_hub.simulator.auth import Doorkeeper, Login
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.soap import SECURITY, UTILITY, Envelope, Refusal
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.web import HttpRequest

TOKEN_VALIDITY = 300.0
"""Seconds by which Created may differ from the device's clock."""
BEFORE_LOGIN = frozenset(
    {
        "tds:GetSystemDateAndTime", "tds:GetServices", "tds:GetServiceCapabilities", "tds:GetCapabilities",
        "tds:GetHostname", "tds:GetEndpointReference", "tds:GetWsdlUrl", "trt:GetServiceCapabilities",
        "tr2:GetServiceCapabilities", "tptz:GetServiceCapabilities", "timg:GetServiceCapabilities",
        "tev:GetServiceCapabilities",
    }
)  # fmt: skip


class Gate:
    """Admits a request, or challenges the client to authenticate."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._admission = Admission(
            state,
            Doorkeeper(f"ONVIF {state.plan.serial}", basic=False, digest=True, algorithm=state.plan.digest_algorithm),
        )

    def check(self, request: HttpRequest, envelope: Envelope) -> None:
        """Raise Refusal unless the caller is authorized. Its status is 401 where HTTP Digest would help, else 400."""
        faults = self._state.faults()
        hidden = Fault.LOGIN_HIDDEN in faults
        if envelope.operation in BEFORE_LOGIN and not hidden and Fault.LOGIN_FOR_ALL not in faults:
            return
        if self._state.admits_nobody:
            self._refuse_all(request, envelope)
        header = request.headers.get("authorization")
        token = None if envelope.header is None else envelope.header.find(f".//{{{SECURITY}}}UsernameToken")
        admitted = False
        if header is not None and Fault.TOKEN_ONLY not in faults:
            admitted = self._admission.admits(request.method, header, self._state.onvif_logins)
        elif token is not None and Fault.DIGEST_ONLY not in faults:
            values = {
                name: (token.findtext(f"{{{SECURITY}}}{name}") or "") for name in ("Username", "Password", "Nonce")
            }
            created = token.findtext(f"{{{UTILITY}}}Created") or ""
            admitted = any(token_fits(values, created, self._state.now(), login) for login in self._state.onvif_logins)
            self._count(admitted=admitted)
        if not admitted and hidden and header is None and token is None:
            raise Refusal("There is nothing here", status=404, mute=True)
        if not admitted:
            status = 400 if Fault.TOKEN_ONLY in faults else 401
            raise Refusal("The sender is not authorized", "ter:NotAuthorized", status=status)

    def _refuse_all(self, request: HttpRequest, envelope: Envelope) -> NoReturn:
        """Refuse whatever the login is, in the words of devices that are locked or have no password yet."""
        signed = "authorization" in request.headers
        if envelope.header is not None:
            signed = signed or envelope.header.find(f".//{{{SECURITY}}}UsernameToken") is not None
        if signed:
            self._count(admitted=False)
        left = round(self._state.locked_for)
        text = f"The account is locked, try again in {left} seconds" if left else "The device is not activated"
        raise Refusal(text, "ter:NotAuthorized", status=400 if signed else 401)

    def challenges(self, request: HttpRequest) -> tuple[tuple[str, str], ...]:
        """Headers of a refusal with 401."""
        return tuple(self._admission.challenges(signed="authorization" in request.headers))

    def _count(self, *, admitted: bool) -> None:
        self._state.stats.logins += 1
        self._state.stats.logins_failed += not admitted


def token_fits(values: dict[str, str], created: str, now: datetime, login: Login) -> bool:
    """Whether a UsernameToken is valid for a login at this time of the device (WSS UsernameToken Profile 1.0)."""
    if values["Username"] != login.username:
        return False
    try:
        nonce = base64.b64decode(values["Nonce"], validate=True)
        moment = datetime.fromisoformat(created)
    except (binascii.Error, ValueError):
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if abs((moment - now).total_seconds()) > TOKEN_VALIDITY:
        return False
    digest = hashlib.sha1(nonce + created.encode() + login.password.encode(), usedforsecurity=False).digest()
    return hmac.compare_digest(values["Password"], base64.b64encode(digest).decode())
