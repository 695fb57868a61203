"""What vendors' interfaces tell of the texts in a channel's picture, the same for every vendor."""

from dataclasses import dataclass

MOST_TEXTS = 8
MAX_TEXT = 128


@dataclass(frozen=True, slots=True)
class ChannelTitles:
    """`name`: the channel's; `time`: its format, "" where the device does not say. `texts`: further ones
    that are shown."""

    name: str
    name_shown: bool
    time: str
    time_shown: bool
    texts: tuple[str, ...] = ()
