"""Nothing is called a fault where nothing is wrong: simulated places through the encoder, the decoder and looks."""

import itertools
from typing import Literal

import pytest

from camera_hub.eye.look import look
from camera_hub.eye.messages import FAULT_BELOW, Look, Seen
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture import takes
from camera_hub.simulator.picture.encoder import encode
from camera_hub.simulator.picture.making import frame_of, with_bar
from camera_hub.simulator.picture.moods import Pictures
from camera_hub.simulator.picture.scenes import Look as Place
from camera_hub.simulator.picture.scenes import SceneKind, Weather

SIZES = ((320, 192), (352, 288), (640, 360))
Codec = Literal["h264", "h265"]
LIGHTS = ((False, False), (True, False), (True, True))
"""By night or not, with an infrared lamp or not."""
KEY_FRAMES, PAUSE = 5, 300.0


def key_frames(place: Place, size: tuple[int, int], codec: Codec) -> list[bytes]:
    """Key frames as the simulated camera would take them, with their caption, each at another moment of the loop."""
    frame = frame_of(StreamSpec(codec, *size))
    pictures, sensor = Pictures(place, size[0], frame.body_height), takes.Sensor(size[0], frame.body_height, KEY_FRAMES)
    drawn = []
    for number in range(KEY_FRAMES):
        turn = number * 0.31 % 1
        taken = sensor.take(pictures.light(turn, number), number, turn)
        drawn.append(with_bar(pictures.processed(taken, number), frame, f"GATE 17  2026-11-29 12:00:{number:02}"))
    options = {"preset": "ultrafast"}
    if codec == "h265":
        options["x265-params"] = "log-level=none:repeat-headers=1:pools=1:frame-threads=1:bframes=0"
    else:
        options["x264-params"] = "rc-lookahead=0:sync-lookahead=0"
    name = {"h264": "libx264", "h265": "libx265"}[codec]
    bitrate = size[0] * size[1] * 2  # for five key frames a second
    coded = encode(name, drawn, size=size, fps=5, bitrate=bitrate, options=options, all_keys=True)
    return [data for data, _, _ in coded]


def looked(codec: Codec, keys: list[bytes]) -> list[Seen]:
    """As many looks as there are key frames for, each with as many of them as it asks for."""
    found: list[Seen] = []
    left, memory = iter(enumerate(keys)), None
    while (first := next(left, None)) is not None:
        at = len(found) * PAUSE
        for number, data in itertools.chain([first], left):
            seen, _ = look(Look(codec, jpeg=False, scores=True, at=at + number, memory=memory), data)
            memory = seen.memory
            if not seen.again:
                break
        found.append(seen)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", SceneKind)
def test_a_clean_place_has_no_fault_whatever_its_light_weather_and_size(kind: SceneKind) -> None:
    turn = list(SceneKind).index(kind)
    for number, weather in enumerate(Weather, turn):
        night, infrared = LIGHTS[number % len(LIGHTS)]
        place = Place(kind, night, number % 2 == 1, infrared=infrared, weather=weather)
        codec: Codec = "h265" if weather is Weather.CLEAR else "h264"
        for size in SIZES[number % len(SIZES)], SIZES[(number + 1) % len(SIZES)]:
            for seen in looked(codec, key_frames(place, size, codec)):
                faults = {name: value for name, value in seen.scores.items() if value < FAULT_BELOW}
                assert not faults, (place, size)
