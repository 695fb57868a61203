"""Values of command line options that several commands share."""

import os
from collections.abc import Sequence
from pathlib import Path

from camera_hub.bench.plan import CIPHERS, Checkout, Cipher
from camera_hub.errors import HubError, Kind


def cipher(name: str) -> Cipher:
    """A cipher by its name. Raises HubError(INVALID)."""
    for known in CIPHERS:
        if known == name:
            return known
    raise HubError(Kind.INVALID, f"there is no cipher {name!r}; choose from {', '.join(CIPHERS)}")


def size(text: str) -> tuple[int, int]:
    """Width and height of "WIDTHxHEIGHT". Raises HubError(INVALID)."""
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and 64 <= int(width) <= 3840 and 64 <= int(height) <= 2160):
        raise HubError(Kind.INVALID, f"{text!r} is not a picture size; write for example 1280x720")
    return int(width), int(height)


def one_of(peers: Sequence[str], name: str) -> str:
    """The name of a peer. Raises HubError(INVALID)."""
    if name not in peers:
        raise HubError(Kind.INVALID, f"there is no peer {name!r}; choose from {', '.join(peers)}")
    return name


def checkout(text: str) -> Checkout:
    """[NAME=]PATH of a Python; without a name, the folder of its environment's project. Raises HubError(INVALID).

    /src/before/.venv/bin/python is called "before".
    """
    name, equals, path = text.rpartition("=")
    python = Path(path).absolute()
    if not os.access(python, os.X_OK) or not python.is_file():
        raise HubError(Kind.INVALID, f"{path!r} is no program; give the Python of the other checkout's environment")
    if not equals:
        name = next((folder.parent.name for folder in python.parents if (folder / "pyvenv.cfg").is_file()), "")
    if not name.replace("-", "").replace("_", "").isalnum():
        raise HubError(Kind.INVALID, f"what is {text!r} to be called? write NAME=PATH")
    return Checkout(name, str(python))
