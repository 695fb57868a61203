"""Bytes given to a camera's connection as its transport does, without a socket."""

from camera_hub.relay.rtsp.connection import CameraConnection


class NoPackets:
    """Reads no interleaved packets."""

    channels: tuple[int, ...] = ()

    def read_interleaved(self, data: bytes, at: int) -> int:
        return at

    def on_stray_bytes(self, times: int) -> None:
        """It has none to lose."""


def read(connection: CameraConnection, data: bytes) -> None:
    """One read of the socket."""
    connection.get_buffer(-1)[: len(data)] = data
    connection.buffer_updated(len(data))
