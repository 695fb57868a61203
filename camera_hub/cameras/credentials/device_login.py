"""A user name and password of a device, as they are used in a call or a pull. Never shown, never logged."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """`version` grows with each change; `device_id` is None for a device not yet registered. False without a name.

    `ports` and `identity` (serial number, MAC, WS-Discovery endpoint) are what the register knows of the device: they
    tell devices apart that are reached at one address (cameras.credentials.login_targets).
    """

    username: str
    password: str = field(repr=False)
    version: int = 1
    device_id: int | None = None
    ports: frozenset[int] = frozenset()
    identity: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.username)
