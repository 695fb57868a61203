"""The texts in the pictures of a device with Dahua's CGI: the channel's title, and the time."""

from collections.abc import Sequence

from camera_hub.cameras.onvif.describe import clean
from camera_hub.cameras.vendors import dahua
from camera_hub.cameras.vendors.answers import pairs_of, rows_of, truth
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.titles import MAX_TEXT, ChannelTitles

_WIDGETS = "/cgi-bin/configManager.cgi?action=getConfig&name=VideoWidget"


async def titles(device: VendorInterface, numbers: Sequence[int]) -> dict[int, ChannelTitles]:
    """By channel number, of those that the device tells. Raises HubError."""
    widgets = rows_of(await pairs_of(await device.tolerant(_WIDGETS)), "table.VideoWidget")
    names = rows_of(await pairs_of(await device.tolerant(dahua.TITLES)), "table.ChannelTitle")
    found = {}
    for number in numbers:
        if (row := widgets.get(number - 1)) is not None:
            found[number] = ChannelTitles(
                clean(names.get(number - 1, {}).get("Name", ""), MAX_TEXT),
                truth(row.get("ChannelTitle.EncodeBlend", "")) is True,
                "",
                truth(row.get("TimeTitle.EncodeBlend", "")) is True,
            )
    return found
