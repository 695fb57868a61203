"""Media2 (ver20), written by hand: onvif-zeep has no WSDL for it, and it alone can report H.265.

Names are compared as in `envelopes`.
"""

from itertools import islice

from lxml import etree

from camera_hub.cameras.onvif.conversation import SoapConversation
from camera_hub.cameras.onvif.describe import MAX_PROFILES, MAX_TOKEN, Profile, clean, codec_of
from camera_hub.cameras.onvif.envelopes import SOAP, Envelope, attribute, child, children, text_of

MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"


class Media2:
    """The few calls that the hub needs of a Media2 service at `path`."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    async def profiles(self, *, ptz: bool = False) -> list[Profile]:
        """All profiles that show a video source; of several with one token the first. `ptz`: also whether they have a
        PTZ configuration, which is asked of devices alone that name a PTZ service."""
        kinds = ("VideoSource", "VideoEncoder", *(("PTZ",) if ptz else ()))
        answer = await self._call("GetProfiles", *(("Type", kind) for kind in kinds))
        found: dict[str, Profile] = {}
        for node in islice(children(answer.content("GetProfilesResponse"), "Profiles"), MAX_PROFILES):
            source = child(node, "Configurations", "VideoSource")
            encoder = child(node, "Configurations", "VideoEncoder")
            token = attribute(node, "token")[:MAX_TOKEN]
            if source is None or not token or token in found:
                continue
            configuration = attribute(source, "token")
            found[token] = Profile(
                token=token,
                name=clean(text_of(node, "Name")),
                source=(text_of(source, "SourceToken") or configuration or token)[:MAX_TOKEN],
                source_name=clean(text_of(source, "Name")),
                configuration=configuration,
                codec=codec_of(text_of(encoder, "Encoding")) if encoder is not None else None,
                width=_number(encoder, "Width"),
                height=_number(encoder, "Height"),
                ptz=child(node, "Configurations", "PTZ") is not None,
                node=text_of(node, "Configurations", "PTZ", "NodeToken")[:MAX_TOKEN],
            )
        return list(found.values())

    async def stream_uri(self, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        answer = await self._call("GetStreamUri", ("Protocol", "RTSP"), ("ProfileToken", profile))
        return text_of(answer.content("GetStreamUriResponse"), "Uri")

    async def synchronize(self, profile: str) -> None:
        """Ask for a key frame."""
        await self._call("SetSynchronizationPoint", ("ProfileToken", profile))

    async def _call(self, operation: str, *values: tuple[str, str]) -> Envelope:
        envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "tr2": MEDIA2})
        etree.SubElement(envelope, f"{{{SOAP}}}Header")
        body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
        request = etree.SubElement(body, f"{{{MEDIA2}}}{operation}")
        for name, value in values:
            etree.SubElement(request, f"{{{MEDIA2}}}{name}").text = value
        return await self._conversation.call(self._path, envelope, f"{MEDIA2}/{operation}")


def _number(encoder: etree._Element | None, name: str) -> int | None:
    text = text_of(encoder, "Resolution", name) if encoder is not None else ""
    return int(text) if text.isascii() and text.isdigit() and int(text[:9]) <= 32768 and len(text) < 9 else None
