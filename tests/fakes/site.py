"""Villages, devices and cameras straight into the database, for tests of the rooms above the register."""

from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Village
from tests.fakes.clock import ManualClock


async def add_village(
    database: Database, clock: ManualClock, name: str, cameras: int, *, recorder: int = 0
) -> list[int]:
    """A village with approved cameras, the last `recorder` of them channels of one device. Answers the camera ids."""
    now = clock.now()
    async with database.write() as session:
        village = Village(name=name, created_at=now)
        session.add(village)
        await session.flush()
        added: list[Camera] = []
        shared: Device | None = None
        for number in range(1, cameras + 1):
            of_recorder = number > cameras - recorder
            device = shared if of_recorder else None
            if device is None:
                device = Device(
                    village_id=village.id,
                    name=f"{name}{number}",
                    host=f"127.9.{village.id}.{number}",
                    onvif_port=80,
                    rtsp_port=554,
                    created_at=now,
                )
                session.add(device)
                await session.flush()
                shared = device if of_recorder else None
            camera = Camera(
                device_id=device.id,
                village_id=village.id,
                channel=f"v{number}",
                name=f"{name}摄像机{number}",
                position=number,
                state="approved",
                created_at=now,
                approved_at=now,
            )
            session.add(camera)
            added.append(camera)
        await session.flush()
        return [camera.id for camera in added]
