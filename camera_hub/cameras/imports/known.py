"""What a sheet is judged against: villages, addresses that may be reached, cameras that are registered. Read once."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from camera_hub.cameras.reach import Check, Ranges, canonical, within
from camera_hub.errors import HubError, Kind, Reason

_SUFFIX = re.compile(r"(?:居民委员会|村民委员会|村委会|居委会|社区|小区|村|居)$")


@dataclass(frozen=True, slots=True)
class ListedCamera:
    """A registered camera. `number`: its channel as its recorder counts it, None where that is not known; `ports`: at
    which its device is reached; `main_url`: where it is known by an address only."""

    id: int
    village_id: int
    device_id: int
    host: str
    ports: frozenset[int]
    name: str
    place_class: str
    number: int | None = None
    of_recorder: bool = False
    main_url: str = field(default="", repr=False)
    ledger: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownPlaces:
    """`village_id`: that of the import, None where the rows say it. `bound`: the user is restricted to villages.

    `villages`, `checks`, `cameras`: of the villages that the user may see; `gb_ids`: all that are taken, and by which
    camera. `ranges`: of these villages, where the user may add addresses beyond them, too.
    `changes`: whether a sheet may change what is registered."""

    village_id: int | None
    bound: bool
    villages: Mapping[int, str]
    checks: Mapping[int, Check]
    cameras: Sequence[ListedCamera] = ()
    gb_ids: Mapping[str, int] = field(default_factory=dict)
    ranges: Mapping[int, Ranges] = field(default_factory=dict)
    changes: bool = True
    by_id: Mapping[int, ListedCamera] = field(init=False)
    _by_place: Mapping[tuple[int, str], list[ListedCamera]] = field(init=False)
    _by_name: Mapping[str, int | None] = field(init=False)

    def __post_init__(self) -> None:
        by_place: dict[tuple[int, str], list[ListedCamera]] = {}
        for camera in self.cameras:
            by_place.setdefault((camera.village_id, camera.host), []).append(camera)
        by_name: dict[str, int | None] = {}
        for id, name in self.villages.items():
            by_name[_folded(name)] = id
        for id, name in self.villages.items():
            short = _SUFFIX.sub("", _folded(name))
            if short and by_name.get(short, id) != id:
                by_name[short] = None  # 东村 and 东社区 are both "东"
            else:
                by_name.setdefault(short, id)
        object.__setattr__(self, "by_id", {one.id: one for one in self.cameras})
        object.__setattr__(self, "_by_place", by_place)
        object.__setattr__(self, "_by_name", by_name)

    def village_named(self, text: str) -> int | None:
        """A village by its name: with or without its kind, and behind the name of its township."""
        folded = _folded(text)
        for name in (folded, re.split(r"[镇乡]|街道", folded)[-1]):
            for one in (name, _SUFFIX.sub("", name)):
                if (found := self._by_name.get(one)) is not None:
                    return found
        return None

    def at(self, village_id: int, host: str) -> Sequence[ListedCamera]:
        """The cameras at an address."""
        return self._by_place.get((village_id, host), ())

    def outside(self, village_id: int, host: str) -> Reason | None:
        """Why an address is worth a second look though it may be connected to: it is a public one, or in none of the
        village's ranges, as far as it has any."""
        ranges, ip = self.ranges.get(village_id), canonical(host)
        if ranges is None or ip is None or within(ip, ranges):
            return None
        if ip.is_global:
            return Reason.ROW_PUBLIC_ADDRESS
        return Reason.ROW_OUTSIDE_RANGES if ranges else None

    def check(self, village_id: int) -> Check:
        """What decides whether an address of the village may be connected to."""
        try:
            return self.checks[village_id]
        except KeyError:
            raise HubError(Kind.NOT_FOUND, "there is no such village") from None


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
