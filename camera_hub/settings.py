"""All settings: frozen, read once, unknown keys refused. config/camera_hub.toml lists every key at its default.

Only what must be known before the database opens, and what belongs to the machine, is here. What people edit at run
time (villages, cameras, tours, users) is in the database. Environment: CAMERA_HUB_<SECTION>__<KEY> overrides the file.
"""

import os
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from camera_hub.errors import HubError, Kind, Reason

Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(_Section):
    """Where the hub listens and keeps its data."""

    host: str = "127.0.0.1"
    port: Port = 8000
    data_dir: Path = Path("data")
    public_origins: tuple[str, ...] = ()
    secure_cookies: bool = False
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    connections: int = Field(2048, ge=64, le=32768)
    connections_per_address: int = Field(256, ge=16)
    request_head_seconds: Seconds = 10.0
    request_body_seconds: Seconds = 30.0
    log_level: str = "INFO"

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                ip_network(text)
            except ValueError as error:
                raise ValueError(
                    f"{text!r} is not an address or network; name a proxy as 192.168.1.5 or 192.168.1.0/24"
                ) from error
        return texts


class SiteSettings(_Section):
    """The site itself. `time_zone`: day and night, reports, duty and all times on pages use it."""

    time_zone: str = "Asia/Shanghai"

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:  # a bad name, a folder, an unknown name
            raise ValueError(_UNKNOWN_ZONE.format(name)) from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.time_zone)


_UNKNOWN_ZONE = "{!r} is not a time zone that this machine knows; use a name of the IANA database such as Asia/Shanghai"


class DatabaseSettings(_Section):
    """Where rows are stored; an empty url means SQLite in data_dir."""

    url: str = ""


class AccessSettings(_Section):
    """Sign-in and sessions."""

    session_hours: float = Field(12.0, gt=0)
    setup_link_minutes: float = Field(60.0, gt=0)
    login_failures: int = Field(5, ge=1)
    login_failure_minutes: float = Field(15.0, gt=0)
    password_min_length: int = Field(10, ge=8)


class MediaSettings(_Section):
    """The live path: relays and the browsers' side."""

    relays: int = Field(1, ge=1, le=16)
    udp_host: str = "::"
    udp_port: Port = 8189
    announced_addresses: tuple[str, ...] = ()
    payload_limit: int = Field(1200, ge=500, le=1400)
    plain_sending: bool = False
    pacer_rate: int = Field(100_000_000, ge=1_000_000)
    gop_cache_bytes: int = Field(4 * 1024 * 1024, ge=65536)
    gop_cache_seconds: Seconds = 10.0
    linger: Seconds = 10.0
    load_limit: float = Field(0.85, ge=0.3, le=1.0)
    viewers_per_user: int = Field(4, ge=1)
    viewers: int = Field(64, ge=1)
    connect_timeout: Seconds = 15.0
    relay_memory_bytes: int = Field(0, ge=0)
    ice_servers: tuple[dict[str, Any], ...] = ()
    audio: bool = False
    whep_origins: tuple[str, ...] = ()
    rtsp_out: bool = True
    rtsp_host: str = "::"
    rtsp_port: Port = 8554
    rtsp_sessions: int = Field(64, ge=1, le=1024)
    rtsp_keep_days: float = Field(180.0, gt=0)


class IngestSettings(_Section):
    """Pulling streams from cameras."""

    open_timeout: Seconds = 10.0
    media_timeout: Seconds = 8.0
    key_frame_timeout: Seconds = 20.0
    late_seconds: Seconds = 2.0
    late_for: Seconds = 10.0
    opens_per_village: int = Field(4, ge=1)
    opens_at_once: int = Field(32, ge=1)
    sessions_per_device: int = Field(16, ge=1)
    transport: str = Field("auto", pattern="^(auto|tcp|udp)$")


class EyeSettings(_Section):
    """Decoding key frames, in separate processes."""

    processes: int = Field(1, ge=1, le=8)
    picture_timeout: Seconds = 5.0
    address_space_bytes: int = Field(3 * 1024**3, ge=512 * 1024**2)
    nice: int = Field(10, ge=0, le=19)


class DiscoverySettings(_Section):
    """Finding devices and speaking ONVIF."""

    multicast: bool = True
    announcements: bool = True
    listen_seconds: Seconds = 4.0
    probes: int = Field(3, ge=1, le=10)
    max_hosts: int = Field(4096, ge=1, le=4096)
    at_once: int = Field(256, ge=1, le=512)
    host_timeout: Seconds = 2.0
    ports: tuple[int, ...] = (80, 8080, 8000, 8899, 2020)
    onvif_timeout: Seconds = 10.0
    reply_bytes: int = Field(1024 * 1024, ge=65536)
    local_devices: bool = False


class DeviceEventSettings(_Section):
    """What devices report themselves (motion, tampering, loss of video) through ONVIF pull points."""

    enabled: bool = True
    thrifty: bool = False
    thrifty_villages: tuple[str, ...] = ()
    at_once: int = Field(256, ge=1, le=2048)
    at_once_per_village: int = Field(32, ge=1, le=512)
    keep_days: float = Field(14.0, gt=0)


class DeviceSettingsSettings(_Section):
    """Settings on devices: clock, OSD, sub stream. `clock_check_at`: the site's time of day."""

    clock_check_at: str = Field("02:30", pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")
    clock_warn_seconds: Seconds = 5.0
    clock_fail_seconds: Seconds = 30.0
    osd_check_at: str = Field("03:30", pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")
    ntp_server: str = Field("", max_length=255, pattern=r"^[A-Za-z0-9.:_-]*$")
    at_once: int = Field(16, ge=1, le=64)
    at_once_per_village: int = Field(4, ge=1, le=64)
    read_seconds: Seconds = 30.0


SeverityName = Literal["critical", "major", "minor", "warning"]
CauseName = Annotated[str, Field(max_length=32)]


class RecordingSettings(_Section):
    """What devices must have recorded."""

    check_hours: float = Field(6.0, ge=0.05, le=24)
    days: int = Field(30, ge=1, le=365)
    complete_percent: float = Field(95.0, gt=0, le=100)
    silent_hours: float = Field(2.0, gt=0, le=48)
    confirm_minutes: float = Field(10.0, gt=0, le=720)
    read_seconds: Seconds = 60.0
    at_once: int = Field(8, ge=1, le=64)


class HealthSettings(_Section):
    """Rounds and alarms."""

    round_seconds: Seconds = 60.0
    picture_seconds: Seconds = 300.0
    thrifty_round_seconds: Seconds = 300.0
    thrifty_picture_seconds: Seconds = 3600.0
    at_once: int = Field(30, ge=1, le=256)
    at_once_per_village: int = Field(4, ge=1, le=64)
    at_once_per_device: int = Field(2, ge=1, le=64)
    bad_of: int = Field(3, ge=1)  # an alarm needs `bad` …
    bad: int = Field(2, ge=1)  # … of the last `bad_of`
    clock_error_seconds: Seconds = 30.0
    village_share: float = Field(0.8, gt=0, le=1)
    severities: dict[CauseName, SeverityName] = Field({}, max_length=100)
    keep_days: float = Field(14.0, gt=0)
    look_days: float = Field(3.0, ge=1, le=60)
    hour_days: float = Field(60.0, ge=3, le=800)
    day_days: float = Field(400.0, ge=31, le=4000)
    alarm_keep_days: float = Field(400.0, gt=0)

    @field_validator("severities")
    @classmethod
    def _of_causes(cls, severities: dict[str, str]) -> dict[str, str]:
        known = {reason.value for reason in Reason}
        if unknown := sorted(severities.keys() - known):
            raise ValueError(f"{unknown[0]!r} is no cause of an alarm; causes are words such as frozen, no_media")
        return severities


class PictureSettings(_Section):
    """Reference pictures of cameras, and the pictures that are kept with alarms."""

    learn_hours: float = Field(6.0, gt=0, le=240)
    follow_days: float = Field(3.0, gt=0, le=365)
    ask_hours: float = Field(24.0, gt=0, le=720)
    alarm_mb: int = Field(2000, ge=10)


Degrees = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class LedgerSettings(_Section):
    """One camera one file. `area`: two corners of a box or the corners of a polygon, each (longitude, latitude)."""

    division: str = Field("", pattern="^([0-9]{2,8})?$")
    area: tuple[Degrees, ...] = Field((), max_length=200)
    filing_days: int = Field(30, ge=1, le=3650)
    photos_per_kind: int = Field(3, ge=1, le=20)
    changes_keep_days: float = Field(1100.0, gt=0)

    @field_validator("area")
    @classmethod
    def _an_area(cls, area: tuple[Degrees, ...]) -> tuple[Degrees, ...]:
        if len(area) == 1:
            raise ValueError("one point is no area; give two corners of a box, or three and more of a polygon")
        return area


class ReportSettings(_Section):
    """Reports. Hours within which a fault is due to be repaired, by the severity of its alarm."""

    critical_hours: float = Field(4.0, gt=0, le=8760)
    major_hours: float = Field(24.0, gt=0, le=8760)
    minor_hours: float = Field(72.0, gt=0, le=8760)
    warning_hours: float = Field(168.0, gt=0, le=8760)
    pass_percent: float = Field(95.0, ge=0, le=100)
    township: str = Field("", max_length=64)

    @property
    def due_hours(self) -> dict[str, float]:
        """By severity."""
        return {
            "critical": self.critical_hours,
            "major": self.major_hours,
            "minor": self.minor_hours,
            "warning": self.warning_hours,
        }


class MapSettings(_Section):
    """The map and coverage. `bounds`: two corners of the township's box, each (longitude, latitude)."""

    bounds: tuple[Degrees, ...] = Field((), max_length=2)
    reach_m: float = Field(50.0, ge=1, le=2000)
    angle_deg: float = Field(80.0, ge=1, le=360)

    @field_validator("bounds")
    @classmethod
    def _a_box(cls, bounds: tuple[Degrees, ...]) -> tuple[Degrees, ...]:
        if bounds and (len(bounds) != 2 or bounds[0][0] == bounds[1][0] or bounds[0][1] == bounds[1][1]):
            raise ValueError("give two opposite corners of a box, or nothing")
        return bounds


TimeOfDay = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class NoticeSettings(_Section):
    """Who is notified of alarms, and when; where they are sent outside the pages. Times of day are the site's;
    `quiet_from` equal to `quiet_to`: never quiet."""

    webhook_url: str = ""
    webhook_timeout: Seconds = 5.0
    parent_minutes: float = Field(10.0, ge=0, le=1440)
    camera_minutes: float = Field(30.0, ge=0, le=1440)
    key_camera_minutes: float = Field(2.0, ge=0, le=1440)
    digest_at: TimeOfDay = "08:00"
    quiet_from: TimeOfDay = "22:00"
    quiet_to: TimeOfDay = "07:00"
    remind_hours: float = Field(24.0, ge=1, le=8760)
    escalate_hours: tuple[Annotated[float, Field(gt=0, le=8760)], ...] = Field((24.0, 72.0), max_length=2)
    escalate_from: str = Field("major", pattern="^(critical|major|minor|warning)$")

    @field_validator("escalate_hours")
    @classmethod
    def _growing(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if list(hours) != sorted(set(hours)):
            raise ValueError("each level of escalation comes later than the one before, as in [24, 72]")
        return hours


class MetricsSettings(_Section):
    """Figures for Prometheus at /metrics."""

    token: SecretStr = SecretStr("")


class SheetSettings(_Section):
    """Uploaded sheets: how long imports are kept, and what reading one may take."""

    keep_days: float = Field(90.0, gt=0)
    kept_per_village: int = Field(50, ge=1, le=1000)
    read_seconds: Seconds = 20.0
    read_memory_bytes: int = Field(512 * 1024**2, ge=128 * 1024**2)


class PtzSettings(_Section):
    """Steering cameras."""

    lock_seconds: Seconds = 15.0
    return_home_seconds: float = Field(180.0, ge=0, le=86400)
    call_seconds: Seconds = 4.0


FindingCode = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_]*$")]
CategoryWord = Annotated[str, Field(min_length=1, max_length=24)]


class PatrolSettings(_Section):
    """Tours and plans. Times of day are the site's; `plan_…`: what the templates of plans propose."""

    dwell_seconds: int = Field(15, ge=3)
    warm_seconds: Seconds = 5.0
    max_stops: int = Field(200, ge=1)
    closing_hours: float = Field(12.0, gt=0)
    attention_minutes: int = Field(0, ge=0, le=120)
    picture_mb: int = Field(20_000, ge=100)
    finding_categories: dict[FindingCode, tuple[CategoryWord, CategoryWord]] = Field(
        {
            "camera_fault": ("摄像机故障", "Camera fault"),
            "road_hazard": ("道路隐患", "Road hazard"),
            "fire_smoke": ("火情烟雾", "Fire or smoke"),
            "flood": ("积水汛情", "Flood"),
            "public_order": ("治安秩序", "Public order"),
            "waste": ("垃圾堆放", "Waste"),
            "missing_sign": ("标志缺损", "Missing sign"),
            "other": ("其他", "Other"),
        },
        min_length=1,
        max_length=32,
    )
    plan_times: tuple[TimeOfDay, ...] = Field(("08:30", "14:30", "20:00"), min_length=1, max_length=24)
    plan_special_minutes: int = Field(120, ge=15, le=1440)
    plan_grace_minutes: int = Field(30, ge=1, le=720)
    plan_night_from: TimeOfDay = "22:00"
    plan_night_to: TimeOfDay = "06:00"
    missed_hours: float = Field(4.0, ge=0.25, le=24)
    keep_days: int = Field(365, ge=90, le=3650)

    @field_validator("attention_minutes")
    @classmethod
    def _off_or_bearable(cls, minutes: int) -> int:
        if 0 < minutes < 3:
            raise ValueError("0 switches it off, else at least 3 minutes")
        return minutes


class Settings(_Section):
    """Every setting of the hub."""

    server: ServerSettings = ServerSettings()
    site: SiteSettings = SiteSettings()
    database: DatabaseSettings = DatabaseSettings()
    access: AccessSettings = AccessSettings()
    media: MediaSettings = MediaSettings()
    ingest: IngestSettings = IngestSettings()
    eye: EyeSettings = EyeSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    device_events: DeviceEventSettings = DeviceEventSettings()
    device_settings: DeviceSettingsSettings = DeviceSettingsSettings()
    recordings: RecordingSettings = RecordingSettings()
    health: HealthSettings = HealthSettings()
    pictures: PictureSettings = PictureSettings()
    ledger: LedgerSettings = LedgerSettings()
    map: MapSettings = MapSettings()
    reports: ReportSettings = ReportSettings()
    notices: NoticeSettings = NoticeSettings()
    metrics: MetricsSettings = MetricsSettings()
    patrol: PatrolSettings = PatrolSettings()
    ptz: PtzSettings = PtzSettings()
    sheets: SheetSettings = SheetSettings()

    @property
    def database_file(self) -> Path | None:
        """SQLite's file, None for another database."""
        url = self.database_url
        if not url.startswith("sqlite"):
            return None
        name = url.partition("///")[2].partition("?")[0]
        return Path(name) if name and not name.startswith((":memory:", "file:")) else None

    @property
    def database_url(self) -> str:
        """The effective SQLAlchemy URL."""
        return self.database.url or f"sqlite+aiosqlite:///{(self.server.data_dir / 'camera_hub.sqlite3').absolute()}"


def load(path: Path | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Read the file (if given) and the environment. Raises HubError, which names the key and the remedy."""
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise HubError(Kind.INVALID, f"the settings file {path} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise HubError(Kind.INVALID, f"the settings file {path} is not valid TOML: {error}") from error
    for name, text in (os.environ if environ is None else environ).items():
        if not name.startswith("CAMERA_HUB_") or "__" not in name:
            continue
        section, _, key = name.removeprefix("CAMERA_HUB_").lower().partition("__")
        place = values.setdefault(section, {})
        if isinstance(place, dict):
            place[key] = _parsed(text)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f" in {path}" if path is not None else ""
        raise HubError(
            Kind.INVALID, f"setting {key}{where}: {_sentence(first)}; config/camera_hub.toml lists every key"
        ) from error


def _sentence(error: Any) -> str:
    """What is wrong with one key, as a sentence for the person who set it."""
    if error["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(error["msg"]).removeprefix("Value error, ")


def _parsed(text: str) -> Any:
    """An environment value as TOML would read it, else the plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
