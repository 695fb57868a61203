"""Media2 (ver20): the only service that can report H.265."""

from itertools import islice
from typing import Any

from camera_hub.cameras.onvif import soap
from camera_hub.cameras.onvif.describe import MAX_PROFILES, Profile
from camera_hub.cameras.onvif.transport import SoapConversation

MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"


class Media2:
    """The few calls that the hub needs of a Media2 service at `path`."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    def profiles(self) -> list[Profile]:
        """All profiles that show a video source."""
        answer = self._call("GetProfiles", ("Type", "VideoSource"), ("Type", "VideoEncoder"))
        found = []
        for node in islice(answer.iter("{*}Profiles"), MAX_PROFILES):
            parts = node.find("{*}Configurations")
            if parts is not None:
                found.append(soap.profile(node, parts.find("{*}VideoSource"), parts.find("{*}VideoEncoder")))
        return [one for one in found if one is not None]

    def stream_uri(self, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        answer = self._call("GetStreamUri", ("Protocol", "RTSP"), ("ProfileToken", profile))
        return next((node.text or "" for node in answer.iter("{*}Uri")), "")

    def synchronize(self, profile: str) -> None:
        """Ask for a key frame."""
        self._call("SetSynchronizationPoint", ("ProfileToken", profile))

    def _call(self, operation: str, *values: tuple[str, str]) -> Any:
        return soap.call(self._conversation, self._path, MEDIA2, operation, *values)
