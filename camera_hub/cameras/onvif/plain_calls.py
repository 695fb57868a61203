"""Calls written by hand, for what is read, changed in a few places and sent back as the device wrote it.

zeep drops what the schema does not know; a device may need just that back. Names are read as in `envelopes`.
"""

import copy
from collections.abc import Sequence

from lxml import etree

from camera_hub.cameras.onvif.conversation import SoapConversation
from camera_hub.cameras.onvif.envelopes import SOAP, Envelope, child, local, local_name

DEVICE_SPACE = "http://www.onvif.org/ver10/device/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

Content = etree._Element


async def call(
    conversation: SoapConversation, path: str, space: str, operation: str, *content: Content, **texts: str
) -> Envelope:
    """The device's answer to the operation of the service `space` at `path`; `texts`: simple elements, before
    `content`. Raises HubError."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "o": space, "tt": SCHEMA})
    etree.SubElement(envelope, f"{{{SOAP}}}Header")
    request = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{space}}}{operation}")
    for name, text in texts.items():
        etree.SubElement(request, f"{{{space}}}{name}").text = text
    for one in content:
        request.append(one)
    return await conversation.call(path, envelope, f"{space}/{operation}")


def element(space: str, name: str, *content: Content, text: str | None = None, **attributes: str) -> Content:
    """A new element."""
    made = etree.Element(f"{{{space}}}{name}", attributes)
    made.text = text
    for one in content:
        made.append(one)
    return made


def as_request(read: Content, space: str, name: str) -> Content:
    """What a device answered, as an element of a request: under another name, its own content in ONVIF's schema."""
    made = copy.deepcopy(read)
    etree.strip_attributes(made, f"{{{_XSI}}}*")
    for one in made.iter():
        tag = str(one.tag)
        if not tag.startswith("{") or tag.startswith(f"{{{SCHEMA}}}"):  # an undeclared prefix
            one.tag = f"{{{SCHEMA}}}{tag.rpartition('}')[2].rpartition(':')[2]}"
    made.tag = f"{{{space}}}{name}"
    made.tail = None
    return made


def put(parent: Content, name: str, text: str, order: Sequence[str]) -> Content:
    """Give the child of that name the text; one that lacks is added where the schema's `order` has it."""
    found = child(parent, name)
    if found is None:
        found = etree.Element(f"{{{SCHEMA}}}{name}")
        places = [one.lower() for one in order]
        mine = places.index(name.lower())
        before = [place for place, one in enumerate(parent) if _place(one, places) <= mine]
        parent.insert(before[-1] + 1 if before else 0, found)
    found.text = text
    return found


def drop(parent: Content, name: str) -> None:
    """Remove the children of that name."""
    for one in [one for one in parent if isinstance(one.tag, str) and local(one) == name.lower()]:
        parent.remove(one)


def set_attribute(node: Content, name: str, value: str) -> None:
    """Set an attribute, in the case in which it stands there."""
    found = next((str(key) for key in node.attrib if local_name(str(key)) == name.lower()), name)
    node.set(found, value)


def whole(text: str, most: int = 1_000_000) -> int | None:
    """A number as devices write it ("25", "25.0"), as a whole one within 0 and `most`; None else."""
    try:
        value = float(text[:20])
    except ValueError:
        return None
    return round(value) if 0 <= value <= most else None


def _place(one: Content, places: Sequence[str]) -> int:
    name = local(one) if isinstance(one.tag, str) else ""
    return places.index(name) if name in places else -1
