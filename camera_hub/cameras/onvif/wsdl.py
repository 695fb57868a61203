"""onvif-zeep's WSDLs describe the calls: zeep builds the messages and reads the answers by the schema's types.

zeep and what it brings (requests, httpx, rich) take 20 MB with two services, so they are loaded by the first call to a
device. Parsing takes 40–70 ms and 3.5 MB per service; shared documents cost nothing per device. Nothing is ever loaded
from the network: neither a WSDL or XSD named in a file, nor one that a device's answer names.

Devices are held to less than the schema says: every field may lack, stand in another place or in another namespace, and
names may be in another case. What lacks is None, and the rest of its parent is still read.
"""

import gc
import logging
import sys
import threading
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.envelopes import Envelope, local_name
from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from zeep import Settings
    from zeep.wsdl import Document

DEVICE = ("devicemgmt.wsdl", "{http://www.onvif.org/ver10/device/wsdl}DeviceBinding")
MEDIA = ("media.wsdl", "{http://www.onvif.org/ver10/media/wsdl}MediaBinding")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

log = logging.getLogger(__name__)
_parsing = threading.Lock()


class _FilesOnly:
    """zeep's document loader: files in the one folder, nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, url: str) -> bytes:
        path = Path(url).resolve()
        if not path.is_relative_to(self._folder):
            raise HubError(Kind.INTERNAL, "a WSDL names a document outside the package")
        return path.read_bytes()

    def post_xml(self, *_: object) -> NoReturn:
        raise HubError(Kind.INTERNAL, "a parsed WSDL is not a connection")


@lru_cache(maxsize=1)
def folder() -> Path:
    """Where onvif-zeep installed its WSDL files. Raises HubError(UNAVAILABLE) with the remedy."""
    places: list[Path] = []
    try:
        for file in files("onvif-zeep") or ():
            if file.name == "devicemgmt.wsdl":
                places.append(Path(str(file.locate())).parent)
    except PackageNotFoundError:
        pass
    places += [Path(entry) / "wsdl" for entry in sys.path]  # data_files of an install with --target
    places.append(Path(sys.prefix) / "wsdl")
    for place in places:
        if (place / "devicemgmt.wsdl").is_file() and (place / "media.wsdl").is_file():
            return place.resolve()
    raise HubError(Kind.UNAVAILABLE, "the WSDL files of onvif-zeep are not installed; reinstall camera-hub")


def message(kind: tuple[str, str], operation: str, values: dict[str, Any]) -> tuple[etree._Element, str]:
    """The SOAP 1.2 envelope of a call, and its action."""
    found = _operation(kind, operation)
    return found.create(**values).content, str(found.soapaction)


def answer(kind: tuple[str, str], operation: str, envelope: Envelope) -> Any:
    """The answer as zeep's value of its type, None for an empty one. Raises HubError(BAD_REPLY) for another answer."""
    found = _operation(kind, operation)
    expected = found.output.body
    node = envelope.content(expected.qname.localname)
    if node is None:
        raise bad_reply(f"no {expected.qname.localname}")
    _conform(node, expected.type)
    try:
        return expected.parse(node, _document(kind[0]).types)
    except Exception as error:  # zeep raises whatever it stumbles over
        log.debug("an answer to %s could not be read", operation, exc_info=error)
        raise bad_reply(type(error).__name__) from error


def warm() -> None:
    """Parse what describing a device needs, so that the first device is not slower than the others."""
    for kind, operation in ((DEVICE, "GetDeviceInformation"), (MEDIA, "GetProfiles")):
        _operation(kind, operation)
    _freeze()


@lru_cache(maxsize=1)
def _freeze() -> None:
    """Once per process: what stands now, 240,000 objects of the imports and the WSDLs, stays until the end. A full
    garbage collection would walk through all of it, 0.2 s in which no press of a page is passed on."""
    gc.freeze()


def _conform(node: etree._Element, xsd_type: Any) -> None:
    """Give elements and attributes the names that the schema has for them, and drop what would choose another type."""
    from zeep import xsd

    etree.strip_attributes(node, f"{{{_XSI}}}*")
    waiting = [(node, xsd_type)]
    while waiting:
        parent, kind = waiting.pop()
        if not isinstance(kind, xsd.ComplexType):
            continue
        fields, attributes = _names(kind)
        for name, value in list(parent.attrib.items()):
            key = str(name)
            if (wanted := attributes.get(local_name(key))) is not None and wanted != key:
                del parent.attrib[name]
                parent.set(wanted, value)
        for one in parent:
            if isinstance(one.tag, str) and (field := fields.get(local_name(one.tag))) is not None:
                one.tag = field.qname.text
                waiting.append((one, field.type))


@lru_cache(maxsize=1024)
def _names(kind: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Elements and attributes of a complex type by their names in lower case; from now on each element may lack."""
    from zeep import xsd

    fields = {}
    for _, one in kind.elements:
        if isinstance(one, xsd.Element) and one.name:
            one.min_occurs = 0
            fields[one.name.lower()] = one
    attributes = {one.name.lower(): one.qname.text for _, one in kind.attributes if one.name}
    return fields, attributes


@lru_cache(maxsize=64)
def _operation(kind: tuple[str, str], name: str) -> Any:
    from zeep import xsd

    name_, binding = kind
    document: Any = _document(name_)
    found: Any = document.bindings[binding].get(name)
    waiting, seen = [found.output.body.type], set()
    while waiting:  # every type that an answer may contain
        one = waiting.pop()
        if isinstance(one, xsd.ComplexType) and one not in seen:
            seen.add(one)
            waiting += [field.type for field in _names(one)[0].values()]
    return found


def _document(name: str) -> "Document":
    with _parsing:
        return _parsed(name)


@lru_cache(maxsize=8)
def _parsed(name: str) -> "Document":
    from zeep.wsdl import Document

    logging.getLogger("zeep").setLevel(
        logging.CRITICAL
    )  # it logs each value that it cannot read, as the device sent it
    files_only: Any = _FilesOnly(folder())
    return Document(str(folder() / name), files_only, settings=_settings())


@lru_cache(maxsize=1)
def _settings() -> "Settings":
    """strict=False: cameras often send invalid XML. The rest limits hostile answers, and what they make us load."""
    from zeep import Settings

    return Settings(
        strict=False,
        xml_huge_tree=False,
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
        xsd_ignore_sequence_order=True,
    )
