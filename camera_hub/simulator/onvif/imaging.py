"""The imaging service: settings that can be changed and read back."""

from camera_hub.simulator.onvif.call import Call, Operation, Profiles
from camera_hub.simulator.onvif.soap import Refusal

_SETTINGS = ("Brightness", "ColorSaturation", "Contrast", "Sharpness")
_MIDDLE = 50.0


class ImagingService:
    """Brightness, saturation, contrast and sharpness from 0 to 100 for each video source."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._values = {profile.channel.number: dict.fromkeys(_SETTINGS, _MIDDLE) for profile in profiles.all}
        self.operations: dict[str, Operation] = {
            "timg:GetServiceCapabilities": self._get_capabilities,
            "timg:GetImagingSettings": self._get,
            "timg:SetImagingSettings": self._set,
            "timg:GetOptions": self._get_options,
        }

    async def _get_capabilities(self, call: Call) -> str:
        return '<timg:Capabilities ImageStabilization="false"/>'

    async def _get(self, call: Call) -> str:
        values = self._of(call)
        inside = "".join(f"<tt:{name}>{values[name]:g}</tt:{name}>" for name in _SETTINGS[:3])
        return (
            f"<timg:ImagingSettings>{inside}<tt:IrCutFilter>AUTO</tt:IrCutFilter>"
            f"<tt:Sharpness>{values['Sharpness']:g}</tt:Sharpness></timg:ImagingSettings>"
        )

    async def _set(self, call: Call) -> str:
        values = self._of(call)
        wanted = {}
        for name in _SETTINGS:
            if not (text := call.envelope.text(f"timg:ImagingSettings/tt:{name}")):
                continue
            try:
                wanted[name] = float(text)
            except ValueError:
                wanted[name] = -1.0
            if not 0 <= wanted[name] <= 100:
                raise Refusal(f"{name} must be between 0 and 100", "ter:InvalidArgVal", "ter:SettingsInvalid")
        values.update(wanted)
        return ""

    async def _get_options(self, call: Call) -> str:
        self._of(call)

        def span(name: str) -> str:
            return f"<tt:{name}><tt:Min>0</tt:Min><tt:Max>100</tt:Max></tt:{name}>"

        return (
            f"<timg:ImagingOptions>{''.join(span(name) for name in _SETTINGS[:3])}"
            "<tt:IrCutFilterModes>ON</tt:IrCutFilterModes><tt:IrCutFilterModes>OFF</tt:IrCutFilterModes>"
            f"<tt:IrCutFilterModes>AUTO</tt:IrCutFilterModes>{span('Sharpness')}</timg:ImagingOptions>"
        )

    def _of(self, call: Call) -> dict[str, float]:
        return self._values[self._profiles.channel(call.envelope.text("timg:VideoSourceToken")).number]
