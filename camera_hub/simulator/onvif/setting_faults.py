"""Devices that refuse to be set, and devices that say OK and change nothing."""

from collections.abc import Mapping

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.soap import Refusal

_MEDIA = ("SetOSD", "CreateOSD", "DeleteOSD", "SetVideoEncoderConfiguration")
_SETTERS = frozenset(
    ("tds:SetSystemDateAndTime", "tds:SetNTP", *(f"{space}:{name}" for space in ("trt", "tr2") for name in _MEDIA))
)


def answered(operation: str, faults: Mapping[Fault, float]) -> str | None:
    """What is answered without doing anything; None: the operation is to be carried out. Raises Refusal."""
    if operation not in _SETTERS:
        return None
    if (how := faults.get(Fault.SETTINGS_REFUSED)) is not None:
        if how >= 1:
            raise Refusal("The user may not do that", "ter:NotAuthorized")
        raise Refusal("The operation is not supported", "ter:ActionNotSupported", sender=False, status=500)
    if Fault.OSD_READONLY in faults and operation.endswith("OSD"):
        raise Refusal("The operation is not supported", "ter:ActionNotSupported", sender=False, status=500)
    if Fault.SETTINGS_IGNORED in faults:
        space = operation.partition(":")[0]
        return f"<{space}:OSDToken>OSD_999</{space}:OSDToken>" if operation.endswith("CreateOSD") else ""
    return None
