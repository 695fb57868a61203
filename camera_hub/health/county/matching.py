"""Which camera a row of the county's list means. Pure.

By GB ID where the ledger has it; else by name, alone or behind its village's name, where only one camera has it, or one
in the village, at the address or on the channel that the row names; else by IP address or by the place where it hangs.
What fits several cameras is left to a person, with the candidates.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from camera_hub.health.county.listed import gb_id_of, plain

MOST_CANDIDATES: Final = 20

MatchedBy = Literal["gb_id", "name", "host", "address"]
_SUFFIX = re.compile(r"(?:村民?委员?会?|居委会|社区|小区|行政村|村)$")


@dataclass(frozen=True, slots=True)
class MatchableCamera:
    """A camera of ours, as far as it can be recognised. `number`: its channel of a recorder."""

    id: int
    name: str
    village_id: int
    village: str
    host: str = ""
    number: int | None = None
    gb_ids: tuple[str, ...] = ()
    address: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class CameraMatch:
    """The camera that a row means; None with candidates: one of these; None without: none of ours."""

    camera_id: int | None = None
    by: MatchedBy | None = None
    candidates: tuple[int, ...] = ()


class CameraIndex:
    """All cameras, to be found by what a list says of them. A retired one counts where no other fits."""

    def __init__(self, cameras: Iterable[MatchableCamera]) -> None:
        self._by: dict[str, dict[str, list[MatchableCamera]]] = {
            key: defaultdict(list) for key in ("gb", "name", "host")
        }
        self._by["address"] = defaultdict(list)
        for one in cameras:
            for gb_id in filter(None, one.gb_ids):
                self._by["gb"][gb_id].append(one)
            for name in dict.fromkeys((plain(one.name), plain(one.village + one.name))):
                self._by["name"][name].append(one)
            self._by["host"][host_of(one.host)].append(one)
            self._by["address"][plain(one.address)].append(one)
        for table in self._by.values():
            table.pop("", None)

    def match(self, texts: Mapping[str, str]) -> CameraMatch:
        """`texts`: of the row, by field (columns.FIELDS)."""
        if (gb_id := gb_id_of(texts.get("gb_id", ""))) and (found := _in_use(self._by["gb"].get(gb_id, []))):
            return _match("gb_id", found, texts)
        if found := _in_use(self._by["name"].get(plain(texts.get("name", "")), [])):
            return _match("name", found, texts)
        if found := _in_use(self._by["host"].get(host_of(texts.get("host", "")), [])):
            return _match("host", found, texts)
        if found := _in_use(self._by["address"].get(plain(texts.get("address", "")), [])):
            return _match("address", found, texts)
        return CameraMatch()


def host_of(text: str) -> str:
    """An address as it is compared: without a port; "" for what is none."""
    text = text.strip().lower()
    host, _, port = text.rpartition(":")
    if port.isdigit() and host.count(":") == 0 and host:
        text = host
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return text if re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", text) else ""


def same_village(text: str, village: str) -> bool:
    """Whether a text names the village: 董家, 董家村, 城关镇/董家村村委会."""
    said, known = plain(text), plain(village)
    stem = _SUFFIX.sub("", known)
    return bool(said) and (known in said or (bool(stem) and _SUFFIX.sub("", said).endswith(stem)))


def _in_use(cameras: Sequence[MatchableCamera]) -> list[MatchableCamera]:
    used = [one for one in cameras if not one.retired]
    return used or list(cameras)


def _match(by: MatchedBy, found: Sequence[MatchableCamera], texts: Mapping[str, str]) -> CameraMatch:
    left = list(found)
    for narrower in (_village, _host, _channel, _name, _address):
        if len(left) > 1:
            left = narrower(left, texts) or left
    if len(left) == 1:
        return CameraMatch(left[0].id, by)
    return CameraMatch(None, None, tuple(sorted(one.id for one in left)[:MOST_CANDIDATES]))


def _village(cameras: Sequence[MatchableCamera], texts: Mapping[str, str]) -> list[MatchableCamera]:
    said = texts.get("village") or texts.get("address", "")
    return [one for one in cameras if same_village(said, one.village)]


def _host(cameras: Sequence[MatchableCamera], texts: Mapping[str, str]) -> list[MatchableCamera]:
    host = host_of(texts.get("host", ""))
    return [one for one in cameras if host and host_of(one.host) == host]


def _channel(cameras: Sequence[MatchableCamera], texts: Mapping[str, str]) -> list[MatchableCamera]:
    digits = re.search(r"\d{1,4}", texts.get("channel", ""), re.ASCII)
    return [one for one in cameras if digits is not None and one.number == int(digits[0])]


def _name(cameras: Sequence[MatchableCamera], texts: Mapping[str, str]) -> list[MatchableCamera]:
    name = plain(texts.get("name", ""))
    return [one for one in cameras if name and name in (plain(one.name), plain(one.village + one.name))]


def _address(cameras: Sequence[MatchableCamera], texts: Mapping[str, str]) -> list[MatchableCamera]:
    address = plain(texts.get("address", ""))
    return [one for one in cameras if address and plain(one.address) == address]
