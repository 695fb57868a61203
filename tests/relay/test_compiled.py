"""The modules that a wheel may bring compiled: which they are, which of the two runs here, and that both see the same
system. `.ci/run` runs tests/relay a second time, on compiled modules, with CAMERA_HUB_TEST_COMPILED=1."""

import importlib
import importlib.util
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from build_tools.compile_modules import MODULES
from camera_hub.compiled import compiled
from camera_hub.relay.fanout.sendmmsg_probe import many_works

EXPECTED = os.environ.get("CAMERA_HUB_TEST_COMPILED") == "1"
NAMES = [path.removesuffix(".py").replace("/", ".") for path in MODULES]


def test_what_is_tested_here_is_what_was_to_be_tested() -> None:
    assert compiled() is EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_each_listed_module_exists_and_all_of_them_are_compiled_or_none(name: str) -> None:
    file = importlib.import_module(name).__file__
    assert file is not None
    assert file.endswith(".py") is not EXPECTED


def plain_twin(name: str) -> Any:
    """The same module from its source, whatever is installed, under a name of its own."""
    file = importlib.import_module(name).__file__
    assert file is not None
    source = Path(file).parent / f"{name.rpartition('.')[2]}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_plain", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def test_compiled_modules_find_the_system_as_able_as_plain_ones_do() -> None:
    """A probe that loses its buffers too early would make the relay send packet by packet, and nobody would notice."""
    probe, plain = plain_twin("camera_hub.relay.fanout.sendmmsg_probe"), plain_twin("camera_hub.relay.fanout.sendmmsg")
    probe.Destination, probe.MessageHeaders, probe.send_many = plain.Destination, plain.MessageHeaders, plain.send_many
    assert probe.many_works() == many_works()


@pytest.mark.parametrize("payload", [b"", b"\x1c", b"\x7c\x85", b"\x18\x00", b"\x18\xff\xff", b"\x31" * 3, bytes(1500)])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_short_and_odd_payloads_give_the_same_in_both(codec: str, payload: bytes) -> None:
    outcomes = []
    codecs = importlib.import_module("camera_hub.relay.ingest.codecs")
    for find in (importlib.import_module, plain_twin):
        modules: list[Any] = [find(f"camera_hub.relay.ingest.{module}") for module in ("rtp", "depacketize")]
        rtp, depacketize = modules
        made = depacketize.Depacketizer(codecs.BY_NAME[codec])
        packet = rtp.parse_rtp(struct.pack("!BBHII", 0x80, 96, 7, 1000, 5) + payload)
        outcomes.append((None if packet is None else len(made.push(packet)), made.gaps, made.dropped))
    assert outcomes[0] == outcomes[1]
