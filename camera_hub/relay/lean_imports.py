"""What a relay process loads of aiortc and aioice: the DTLS transport and the STUN codec, not all that they can do.

`import aiortc` loads FFmpeg (which a relay never calls), SCTP, mDNS and codecs, 26 MB for every relay. Here the two
packages are entered without running their `__init__`, and two names that the DTLS transport imports for its annotations
alone are given for the moment of the import. Only `relay.__main__` does this: other processes load aiortc as it is.
"""

import sys
from importlib.util import find_spec
from types import ModuleType

PACKAGES = ("aiortc", "aioice")
USED = ("aiortc.rtcdtlstransport", "aioice.stun")
ANNOTATIONS = {"av": "AudioFrame", "aiortc.rtcicetransport": "RTCIceTransport"}
"""Module → the one name of it that is imported and never called on the way of `USED`. A contract test says so."""


def load_lean() -> None:
    """Load `USED` alone; does nothing where aiortc is loaded already. Missing libraries: see `libraries`."""
    if any(name in sys.modules for name in (*PACKAGES, *ANNOTATIONS)):
        return
    specs = [find_spec(name) for name in PACKAGES]
    for name, spec in zip(PACKAGES, specs, strict=True):
        if spec is None:
            return  # `check_versions` says what to do
        package = ModuleType(name)
        package.__spec__, package.__path__ = spec, list(spec.submodule_search_locations or ())
        sys.modules[name] = package
    for name, used in ANNOTATIONS.items():
        stand_in = ModuleType(name)
        setattr(stand_in, used, type(used, (), {}))
        sys.modules[name] = stand_in
    try:
        for name in USED:
            __import__(name)  # which, unlike importlib, Python's record of imports shows (tests/test_imports.py)
    except ImportError:  # of another version: let it be imported as a whole, and `check_versions` speak
        for name in [known for known in sys.modules if known.partition(".")[0] in PACKAGES]:
            del sys.modules[name]
    finally:
        for name in ANNOTATIONS:
            sys.modules.pop(name, None)
