"""Reads what sheets are judged against, for one user and one import."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Action, Actor, allows
from camera_hub.cameras.credentials.logins import Sealer
from camera_hub.cameras.device_checks import DeviceChecks, parsed, trusted
from camera_hub.cameras.imports.known import KnownPlaces, ListedCamera
from camera_hub.cameras.ledger.stored import typed_values
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.cameras.streams import stored_urls
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, LedgerFile, Stream, Village


class KnownReader:
    """One reading per sheet: a few queries, whatever number of rows it has."""

    def __init__(self, database: Database, checks: DeviceChecks, vault: Sealer) -> None:
        self._database = database
        self._checks = checks
        self._vault = vault

    async def read(self, actor: Actor, village_id: int | None) -> KnownPlaces:
        """What is known in the villages that the actor may see; in one of them, where the import is for that one. Of
        cameras, a contractor sees those that wait, and changes none by a sheet."""
        async with self._database.read() as session:
            where = [in_scope(actor, Village.id)]
            if village_id is not None:
                where.append(Village.id == village_id)
            found = list(await session.scalars(select(Village).where(*where)))
            villages = {one.id: one.name for one in found}
            ranges = {one.id: parsed(one.ranges) for one in found} if trusted(actor) else {}
            cameras = await self._cameras(session, villages, only_pending=actor.only_pending)
            taken = await session.execute(
                select(LedgerFile.gb_id, LedgerFile.camera_id).where(LedgerFile.gb_id.is_not(None))
            )
            gb_ids = {gb_id: camera_id for gb_id, camera_id in taken if gb_id is not None}
        checks = {id: await self._checks.of_actor(actor, id) for id in villages}
        return KnownPlaces(
            village_id, actor.bound, villages, checks, cameras, gb_ids, ranges, allows(actor, Action.REGISTER)
        )

    async def _cameras(
        self, session: AsyncSession, villages: Iterable[int], *, only_pending: bool
    ) -> list[ListedCamera]:
        seen = Camera.state.in_(PENDING) if only_pending else Camera.state != "retired"
        found = (
            await session.execute(
                select(Camera, Device)
                .join(Device, Device.id == Camera.device_id)
                .where(Camera.village_id.in_(villages), seen)
                .order_by(Camera.device_id, Camera.id)
            )
        ).all()
        of_device: dict[int, list[Camera]] = defaultdict(list)
        for camera, device in found:
            of_device[device.id].append(camera)
        urls = await self._urls(session, villages)
        files = await session.scalars(
            select(LedgerFile)
            .join(Camera, Camera.id == LedgerFile.camera_id)
            .where(Camera.village_id.in_(villages), Camera.state != "retired")
        )
        ledger = {file.camera_id: typed_values(file) for file in files}
        return [
            ListedCamera(
                camera.id,
                camera.village_id,
                device.id,
                device.host,
                frozenset(port for port in (device.asked_port, device.rtsp_port) if port is not None),
                camera.name,
                camera.place_class,
                camera.number or (of_device[device.id].index(camera) + 1 if camera.channel != "rtsp" else None),
                len(of_device[device.id]) > 1,
                urls.get(camera.id, ""),
                ledger.get(camera.id, {}),
            )
            for camera, device in found
        ]

    async def _urls(self, session: AsyncSession, villages: Iterable[int]) -> dict[int, str]:
        """Main streams of cameras that are known by an address only."""
        streams = await session.execute(
            select(Stream, Camera.device_id)
            .join(Camera, Camera.id == Stream.camera_id)
            .where(Camera.village_id.in_(villages), Camera.state != "retired")
            .where(Stream.role == "main", Stream.source == "url")
        )
        return {stream.camera_id: stored_urls.kept(stream, self._vault, device_id) for stream, device_id in streams}
