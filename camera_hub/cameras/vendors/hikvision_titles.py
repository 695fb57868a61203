"""The texts in the pictures of a device with ISAPI: the channel's name, date and time, further lines."""

from collections.abc import Sequence

from camera_hub.cameras.onvif.describe import clean
from camera_hub.cameras.onvif.envelopes import child, text_of
from camera_hub.cameras.vendors.answers import listed, truth, xml_of
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.titles import MAX_TEXT, MOST_TEXTS, ChannelTitles

_INPUT = "/ISAPI/System/Video/inputs/channels/{}"


async def titles(device: VendorInterface, numbers: Sequence[int]) -> dict[int, ChannelTitles]:
    """By channel number, of those that the device tells. Raises HubError."""
    found = {}
    for number in numbers:
        path = _INPUT.format(number)
        overlay = await xml_of(await device.tolerant(f"{path}/overlays"), "VideoOverlay")
        if overlay is None:
            continue
        own = child(overlay, "channelNameOverlay")
        name = text_of(own, "name")
        if not name:
            name = text_of(await xml_of(await device.tolerant(path), "VideoInputChannel"), "name")
        clock = child(overlay, "DateTimeOverlay")
        date, time = text_of(clock, "dateStyle"), text_of(clock, "timeStyle")
        lines = [one for one in listed(overlay, "TextOverlay", MOST_TEXTS) if truth(text_of(one, "enabled"))]
        texts = [clean(text_of(one, "displayText"), MAX_TEXT) for one in lines]
        found[number] = ChannelTitles(
            clean(name, MAX_TEXT),
            truth(text_of(own, "enabled")) is True,
            clean(f"{date} {time}", MAX_TEXT).strip(),
            truth(text_of(clock, "enabled")) is True,
            tuple(one for one in texts if one),
        )
    return found
