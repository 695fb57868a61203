"""Media2 (ver20), written by hand: onvif-zeep has no WSDL for it, and it is the only service that can report H.265."""

from itertools import islice
from typing import Any

from lxml import etree

from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.describe import MAX_PROFILES, MAX_TOKEN, Profile, clean, codec_of
from camera_hub.cameras.onvif.transport import SOAP, SoapConversation, parsed, said

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
            source = node.find("{*}Configurations/{*}VideoSource")
            encoder = node.find("{*}Configurations/{*}VideoEncoder")
            if source is None or not (token := node.get("token")):
                continue
            found.append(
                Profile(
                    token=token[:MAX_TOKEN],
                    name=clean(node.findtext("{*}Name")),
                    source=(source.findtext("{*}SourceToken") or source.get("token") or token)[:MAX_TOKEN],
                    source_name=clean(source.findtext("{*}Name")),
                    configuration=source.get("token") or "",
                    codec=codec_of(encoder.findtext("{*}Encoding")) if encoder is not None else None,
                    width=_number(encoder, "Width"),
                    height=_number(encoder, "Height"),
                )
            )
        return found

    def stream_uri(self, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        answer = self._call("GetStreamUri", ("Protocol", "RTSP"), ("ProfileToken", profile))
        return next((node.text or "" for node in answer.iter("{*}Uri")), "")

    def synchronize(self, profile: str) -> None:
        """Ask for a key frame."""
        self._call("SetSynchronizationPoint", ("ProfileToken", profile))

    def _call(self, operation: str, *values: tuple[str, str]) -> Any:
        envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "tr2": MEDIA2})
        etree.SubElement(envelope, f"{{{SOAP}}}Header")
        body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
        request = etree.SubElement(body, f"{{{MEDIA2}}}{operation}")
        for name, value in values:
            etree.SubElement(request, f"{{{MEDIA2}}}{name}").text = value
        action = f'application/soap+xml; charset=utf-8; action="{MEDIA2}/{operation}"'
        url = self._conversation.peer.url(self._path)
        reply = self._conversation.post_xml(url, envelope, {"Content-Type": action})
        if words := said(reply):
            raise faults.of_fault(words)
        return parsed(reply.content)


def _number(encoder: Any, name: str) -> int | None:
    text = encoder.findtext("{*}Resolution/{*}" + name) if encoder is not None else None
    return int(text) if text and text.strip().isdigit() and int(text) <= 32768 else None
