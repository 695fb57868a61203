"""Parameter sets (VPS, SPS, PPS) of a stream: those of the SDP, then those in band; put in front of each key frame.
Pure.

Browsers decode nothing without them, and many cameras send them only in the SDP or only once.
"""

from camera_hub.relay.ingest.codecs import Codec, NalRole
from camera_hub.relay.ingest.nal import SpsInfo, split_at_start_codes

MAX_PARAMETER_SETS = 16
"""More are dropped: no camera has them, and each would be sent with every key frame."""


class ParameterSets:
    """The parameter sets in force for one opened stream. `sps`: what the SPS says, None before a readable one."""

    def __init__(self, codec: Codec, from_sdp: tuple[bytes, ...]) -> None:
        self._codec = codec
        parts = [part for unit in from_sdp for part in split_at_start_codes(unit)]
        self._units = [unit for unit in parts if codec.role(unit) is NalRole.PARAMETER_SET][:MAX_PARAMETER_SETS]
        self._sps_unit: bytes | None = None
        self.sps: SpsInfo | None = None
        for unit in self._units:
            self._read_sps(unit)

    @property
    def units(self) -> tuple[bytes, ...]:
        """NAL units without start code: those of the SDP, then those of the last key frame."""
        return tuple(self._units)

    @property
    def complete(self) -> bool:
        """Whether there is one of each type that the codec needs."""
        return self._codec.parameters_complete(self._units)

    def prepend(self, units: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """A key frame's NAL units with the parameter sets first.

        Types that the key frame does not bring itself are taken from the SDP or from an earlier key frame.
        """
        nal_type = self._codec.nal_type
        current = [unit for unit in units if self._codec.role(unit) is NalRole.PARAMETER_SET][:MAX_PARAMETER_SETS]
        in_band = {nal_type(unit) for unit in current}
        current += [unit for unit in self._units if nal_type(unit) not in in_band]
        current.sort(key=nal_type)
        if current != self._units:
            self._units = current
            for unit in current:
                self._read_sps(unit)
        return (*current, *(unit for unit in units if self._codec.role(unit) is not NalRole.PARAMETER_SET))

    def _read_sps(self, unit: bytes) -> None:
        if self._codec.nal_type(unit) != self._codec.sps_type or unit == self._sps_unit:
            return
        self._sps_unit = unit
        try:
            self.sps = self._codec.parse_sps(unit)
        except ValueError:
            return
