"""One hub per data folder: a lock that the kernel releases whenever and however the process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camera_hub.errors import HubError, Kind


@contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock for the length of the block; creates the folder if needed. Raises HubError(CONFLICT)."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "hub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HubError(
            Kind.UNAVAILABLE, f"the data folder {data_dir} cannot be used: {error.strerror}", reason="data_dir"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise HubError(
                Kind.CONFLICT,
                f"another camera hub (process {holder or 'unknown'}) uses the data folder {data_dir}; stop it first",
                reason="second_instance",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
