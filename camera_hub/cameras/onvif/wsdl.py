"""The parsed WSDLs of onvif-zeep, read once from the installed package and shared by all devices.

zeep and what it brings (requests, httpx, rich) take 20 MB with two services, so they are loaded by the first call to a
device. Parsing takes 40–70 ms and 3.5 MB per service; shared documents cost nothing per device. Nothing is ever loaded
from the network: neither a WSDL or XSD named in a file, nor one that a device's answer names.
"""

import sys
import threading
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    from zeep import Settings
    from zeep.wsdl import Document

DEVICE = ("devicemgmt.wsdl", "{http://www.onvif.org/ver10/device/wsdl}DeviceBinding")
MEDIA = ("media.wsdl", "{http://www.onvif.org/ver10/media/wsdl}MediaBinding")

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


def service(kind: tuple[str, str], transport: Any, url: str) -> Any:
    """A zeep service for that WSDL and binding, which posts to `url` through `transport.post_xml`."""
    from zeep import Client

    name, binding = kind
    client: Any = Client(_document(name), transport=transport, settings=_settings())  # type: ignore[no-untyped-call]  # zeep's
    return client.create_service(binding, url)


def warm() -> None:
    """Parse what describing a device needs, so that the first device is not slower than the others."""
    for name, _ in (DEVICE, MEDIA):
        _document(name)


def _document(name: str) -> "Document":
    with _parsing:
        return _parsed(name)


@lru_cache(maxsize=8)
def _parsed(name: str) -> "Document":
    from zeep.wsdl import Document

    files_only: Any = _FilesOnly(folder())
    return Document(str(folder() / name), files_only, settings=_settings())


@lru_cache(maxsize=1)
def _settings() -> "Settings":
    """strict=False: cameras often send invalid XML. The rest limits hostile answers, and keeps them from loading more
    files."""
    from zeep import Settings

    return Settings(strict=False, xml_huge_tree=False, forbid_dtd=True, forbid_entities=True, forbid_external=True)
