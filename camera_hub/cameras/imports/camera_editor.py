"""What a sheet changes of a registered camera: its name and place class in the register, its values in the ledger."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.cameras.imports.values import ParsedRow


class CameraChanger(Protocol):
    """What is needed of cameras.register.cameras."""

    async def change(
        self, actor: Actor, camera_id: int, *, name: str | None = None, place_class: str | None = None
    ) -> object:
        """Change what is given. Raises HubError(NOT_FOUND)."""
        ...

    async def approve(self, actor: Actor, ids: Sequence[int]) -> object:
        """Put cameras into service. Raises HubError: NOT_FOUND, CONFLICT (device retired)."""
        ...


class LedgerSaver(Protocol):
    """What is needed of cameras.ledger.ledgers."""

    async def save(self, actor: Actor, ids: Sequence[int], values: Mapping[str, str]) -> object:
        """Give cameras these values. Raises HubError."""
        ...


class RowEditor:
    """Applies a row to a camera: ledger values first, since they may be refused."""

    def __init__(self, cameras: CameraChanger, ledger: LedgerSaver) -> None:
        self._cameras = cameras
        self._ledger = ledger

    async def approve(self, actor: Actor, ids: Sequence[int]) -> None:
        """Put cameras into service. Raises HubError: NOT_FOUND, CONFLICT (device retired)."""
        await self._cameras.approve(actor, ids)

    async def apply(self, actor: Actor, camera_id: int, row: ParsedRow) -> None:
        """Raises HubError: NOT_FOUND, or that of a ledger value."""
        if row.ledger:
            await self._ledger.save(actor, [camera_id], row.ledger)
        if row.name or row.place_class is not None:
            await self._cameras.change(actor, camera_id, name=row.name or None, place_class=row.place_class)
