"""What vendors' interfaces tell of a device, the same for every vendor; how their XML and text are read. Pure.

Answers may be hostile: XML is read without document types, entities and network (cameras.onvif.envelopes), lists and
texts are bounded, numbers out of range are left out.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice

from lxml import etree

from camera_hub.cameras.described import Disk, Identity
from camera_hub.cameras.http.messages import HttpReply, bad_reply
from camera_hub.cameras.onvif.conversation import LARGE
from camera_hub.cameras.onvif.describe import MAX_CHANNELS
from camera_hub.cameras.onvif.envelopes import elements, local, parsed
from camera_hub.errors import HubError
from camera_hub.text_decoding import decoded, xml_decoded

MAX_LINES = 40_000
"""Lines of a text answer: the encoder settings of 64 channels take about 20,000."""
MAX_LINE = 1024
MAX_DISKS = 64
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_DECLARES = re.compile(r"<!\s*(doctype|entity)", re.IGNORECASE)
_PAIR = re.compile(r"[ \t]*([A-Za-z_][\w.\[\]-]{0,200})[ \t]*=(.*)")
_INDEX = re.compile(r"\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a stream is encoded, as the device says. `codec` as cameras.onvif.describe.codec_of."""

    codec: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class VendorChannel:
    """One channel as its recorder counts it, from 1. `online`: whether a camera answers there, None: not said.

    `sub` None: it has no sub stream.
    """

    number: int
    name: str
    online: bool | None = None
    main: Encoding = Encoding()
    sub: Encoding | None = Encoding()


@dataclass(frozen=True, slots=True)
class VendorSaid:
    """All answers of a device. `recorder`: its channels are those of a recorder, however many it has. `clock`: what its
    clock showed against ours, in seconds. `rtsp_port`: as it has it itself, which a router may map to another."""

    identity: Identity
    name: str
    channels: tuple[VendorChannel, ...]
    recorder: bool
    clock_offset_s: float | None = None
    rtsp_port: int | None = None
    disks: tuple[Disk, ...] = ()


async def xml_of(reply: HttpReply | None, root: str) -> etree._Element | None:
    """The XML of an answer whose root has that local name; None for anything else, however it is broken."""
    if reply is None:
        return None
    try:
        node = await asyncio.to_thread(_xml, reply) if len(reply.body) > LARGE else _xml(reply)
    except HubError:
        return None
    return node if local(node) == root.lower() else None


def _xml(reply: HttpReply) -> etree._Element:
    text = xml_decoded(reply.body, _charset(reply)).text.strip()
    if _DECLARES.search(text):
        raise bad_reply("it declares a document type")
    if not text.startswith("<"):
        raise bad_reply("no XML")
    return parsed(text)[0]


def _charset(reply: HttpReply) -> str:
    match = _CHARSET.search(reply.first("content-type"))
    return match[1] if match else ""


def listed(node: etree._Element, name: str, limit: int = MAX_CHANNELS) -> Iterator[etree._Element]:
    """The first elements with that local name, children of the root or of a list in it."""
    return islice((one for one in elements(node) if local(one) == name.lower()), limit)


async def pairs_of(reply: HttpReply | None) -> dict[str, str]:
    """The `key=value` lines of a text answer; a key that stands twice keeps its first value."""
    if reply is None:
        return {}
    return await asyncio.to_thread(_pairs, reply) if len(reply.body) > LARGE else _pairs(reply)


def _pairs(reply: HttpReply) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in islice(decoded(reply.body, _charset(reply)).text.splitlines(), MAX_LINES):
        if (match := _PAIR.match(line[:MAX_LINE])) is not None:
            found.setdefault(match[1], match[2].strip())
    return found


def rows_of(pairs: Mapping[str, str], table: str, limit: int = MAX_CHANNELS) -> dict[int, dict[str, str]]:
    """Of `table[3].Name=…` the values by index: {3: {"Name": …}}; indices beyond `limit` are left out."""
    found: dict[int, dict[str, str]] = {}
    begin = f"{table}["
    for key, value in pairs.items():
        if not key.startswith(begin):
            continue
        match = _INDEX.match(key, len(table))
        if match is None or (index := int(match[1])) >= limit:
            continue
        found.setdefault(index, {})[key[match.end() :].lstrip(".")] = value
    return found


def number(text: str, most: int = 65535) -> int | None:
    """A whole number from 0 to `most`, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= most else None


def truth(text: str) -> bool | None:
    """ "true" and "false", however they are spelt; None for anything else."""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.strip().lower())


def moment(text: str, zone: tzinfo) -> datetime | None:
    """A device's time; without a zone of its own it is meant in `zone`. None where it cannot be read."""
    text = re.sub(r"\s+", "T", text.strip()[:40], count=1).replace("/", "-")
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})(.*)", text):
        year, month, day, hour, minute, second, rest = match.groups()
        text = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}{rest}"
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
