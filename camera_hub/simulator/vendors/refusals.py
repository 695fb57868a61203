"""How a vendor's HTTP interface and RTSP server word what they refuse before they look at a login: pure functions."""

from dataclasses import dataclass

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Vendor
from camera_hub.simulator.state import DeviceState

HIKVISION_SPACE = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"'
DAHUA_LOCKED, DAHUA_BUSY, DAHUA_NOT_INITIALIZED = 268632081, 268632075, 268632089
"""Dahua's codes. That of a device without a password differs among firmwares."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An HTTP status with its body; `challenge`: a 401 comes with its challenge."""

    status: int
    body: bytes
    content_type: str
    challenge: bool = False


def http_refusal(state: DeviceState) -> Refused | None:
    """What the vendor's HTTP interface answers to every request just now; None: it looks at the login."""
    if Fault.TOO_MANY_CONNECTIONS in state.faults():
        return _busy(state)
    if Fault.NOT_ACTIVATED in state.faults():
        return _not_activated(state)
    return _locked(state) if state.locked_for > 0 else None


def rtsp_refusal(state: DeviceState, *, signed: bool) -> int | None:
    """The RTSP status of a request that needs a login; None: the server looks at the login."""
    dahua = state.plan.vendor is Vendor.DAHUA
    if Fault.TOO_MANY_CONNECTIONS in state.faults():
        return 503 if dahua else 453
    if state.admits_nobody:
        return 403 if dahua and signed else 401
    return None


def isapi_status(path: str, code: int, status: str, sub_status: str, more: str = "") -> bytes:
    """ISAPI's ResponseStatus."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ResponseStatus {HIKVISION_SPACE}><requestURL>{path}</requestURL>'
        f"<statusCode>{code}</statusCode><statusString>{status}</statusString>"
        f"<subStatusCode>{sub_status}</subStatusCode>{more}</ResponseStatus>"
    ).encode()


def user_check(state: DeviceState, *, admitted: bool) -> bytes:
    """ISAPI's answer to /ISAPI/Security/userCheck, which is also the body of its 401."""
    left = round(state.locked_for)
    lock = f"<lockStatus>{'lock' if left else 'unlock'}</lockStatus><unlockTime>{left}</unlockTime>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><userCheck {HIKVISION_SPACE}>'
        f"<statusValue>{200 if admitted else 401}</statusValue>"
        f"<statusString>{'OK' if admitted else 'Unauthorized'}</statusString>"
        f"<isActivated>{str(Fault.NOT_ACTIVATED not in state.faults()).lower()}</isActivated>"
        f"{lock}<retryLoginTime>{0 if left else 5}</retryLoginTime></userCheck>"
    ).encode()


def dahua_error(text: str, code: int = 0) -> bytes:
    """A CGI's refusal."""
    return f"Error\r\n{f'ErrorID={code}, Detail=' if code else ''}{text}\r\n".encode()


def _busy(state: DeviceState) -> Refused:
    if state.plan.vendor is Vendor.DAHUA:
        return Refused(503, dahua_error("Too many connections!", DAHUA_BUSY), "text/plain")
    return Refused(503, isapi_status("/ISAPI", 2, "Device Busy", "noMoreConnections"), "application/xml")


def _not_activated(state: DeviceState) -> Refused:
    if state.plan.vendor is Vendor.DAHUA:
        return Refused(403, dahua_error("Device is not initialized!", DAHUA_NOT_INITIALIZED), "text/plain")
    return Refused(403, isapi_status("/ISAPI", 4, "Invalid Operation", "notActivated"), "application/xml")


def _locked(state: DeviceState) -> Refused:
    if state.plan.vendor is Vendor.DAHUA:
        text = f"User Locked! remainLockSecond={round(state.locked_for)}"
        return Refused(403, dahua_error(text, DAHUA_LOCKED), "text/plain")
    return Refused(401, user_check(state, admitted=False), "application/xml", challenge=True)
