"""What a device is asked when it is described, in one conversation."""

from collections.abc import Mapping

from camera_hub.cameras.credentials.login_budget import REFUSALS
from camera_hub.cameras.onvif.describe import Profile, Said
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.ptz import PTZ, Ptz, PtzNode
from camera_hub.errors import HubError, Kind, Reason


async def said(device: OnvifDevice, services: Mapping[str, str]) -> Said:
    """Request everything that describing needs; only identity and profiles are required."""
    identity = await device.identity()
    none: list[Profile] = []
    scopes = await device.tolerant(device.scopes(), tuple[str, ...]())
    hostname = await device.tolerant(device.hostname(), "")
    media1, media2 = services.get(MEDIA1), services.get(MEDIA2)
    modern = none
    if media2 is not None:
        modern = await device.tolerant(Media2(device.conversation, media2).profiles(ptz=PTZ in services), none)
    profiles = await device.tolerant(device.profiles(media1), none) if media1 is not None else none
    uris: dict[str, str] = {}
    osd: dict[str, str] = {}
    if profiles and media1 is not None:
        profiles = _with_claims(profiles, modern)
        osd = await device.tolerant(device.osd(media1), osd)
    elif modern:
        profiles = modern
    else:
        raise HubError(Kind.UNREACHABLE, "the device answers ONVIF but lists no video profile", reason=Reason.NO_MEDIA)
    for profile in profiles:
        try:
            if media1 is not None and profiles is not modern:
                uris[profile.token] = await device.stream_uri(media1, profile.token)
            elif media2 is not None:
                uris[profile.token] = await Media2(device.conversation, media2).stream_uri(profile.token)
        except HubError as error:
            # Addresses are requested again when pulled; a dead channel or slow recorder must not spoil the description.
            if error.reason in REFUSALS:
                raise
            if error.reason == Reason.TIMED_OUT:
                break
    nodes: list[PtzNode] = []
    if (ptz := services.get(PTZ)) is not None and not any(one.ptz for one in profiles):
        nodes = await device.tolerant(Ptz(device.conversation, ptz).nodes(), nodes)
    return Said(identity, tuple(profiles), scopes, hostname, uris, osd, len(nodes))


def _with_claims(profiles: list[Profile], modern: list[Profile]) -> list[Profile]:
    """Media1 profiles with the codec that Media2 reports for the same token: Media1 has no value for H.265."""
    claims = {one.token: one for one in modern}
    return [
        Profile(
            one.token,
            one.name,
            one.source,
            one.source_name,
            one.configuration,
            claim.codec or one.codec if (claim := claims.get(one.token)) is not None else one.codec,
            one.width or (claim.width if claim is not None else None),
            one.height or (claim.height if claim is not None else None),
            one.ptz or (claim is not None and claim.ptz),
            one.node or (claim.node if claim is not None else ""),
        )
        for one in profiles
    ]
