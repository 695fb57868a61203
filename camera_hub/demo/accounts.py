"""The demo's accounts: random passwords that are easy to type, stored with the demo's data and nowhere else."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from camera_hub.errors import HubError, Kind

_WORDS = (
    "amber birch brook cedar cliff cloud coral delta dune ember field finch flint frost grove hazel heron island ivory "
    "jade lake larch lemon lotus maple meadow mint moss oak olive orchid pearl pine plum pond quartz rain reed ridge "
    "river robin sage shore silver spruce stone swan thyme tulip valley violet walnut willow wind"
)
_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account that is printed at the start."""

    username: str
    display_name: str
    role: str
    password: str = field(repr=False)


def fresh() -> list[DemoAccount]:
    """An account for every role, the township admin first."""
    named = (
        ("admin", "镇管理员", "township_admin"),
        ("operator", "值班员小王", "operator"),
        ("village", "村管理员老李", "village_admin"),
        ("maintainer", "运维老张", "maintainer"),
        ("leader", "带班领导", "leader"),
        ("contractor", "施工队小赵", "contractor"),
    )
    return [DemoAccount(username, name, role, _password()) for username, name, role in named]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a demo needs to start again with the same folder: its accounts, and the network of its devices."""

    accounts: list[DemoAccount]
    network: str


def kept(data_dir: Path) -> Kept | None:
    """What an earlier demo stored in that folder; None if the folder is new. Raises HubError if it has other data."""
    path = data_dir / _FILE
    if path.exists():
        values = json.loads(path.read_text("utf-8"))
        return Kept([DemoAccount(**account) for account in values["accounts"]], values["network"])
    if data_dir.exists() and any(data_dir.iterdir()):
        raise HubError(
            Kind.CONFLICT,
            f"the folder {data_dir} contains data that is not a demo's; give an empty folder with --data",
            reason="not_demo",
        )
    return None


def keep(data_dir: Path, kept: Kept) -> None:
    """Store it, readable by the owner only."""
    descriptor = os.open(data_dir / _FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(kept), file, ensure_ascii=False, indent=1)


def _password() -> str:
    """About 31 bits; the sign-in throttle makes that enough for a demo on loopback."""
    words = _WORDS.split()
    return "-".join([*(secrets.choice(words) for _ in range(3)), str(secrets.randbelow(9000) + 1000)])
