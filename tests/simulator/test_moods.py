"""What is wrong with pictures, and what only looks so, as it comes out of the encoder."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.simulator.faults import MOODS, WEATHERS, Fault
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.making import Recipe, parameters, units
from camera_hub.simulator.picture.moods import Pictures
from camera_hub.simulator.picture.scenes import STILL, Look, Mood, SceneKind, Weather
from tests.simulator.peers import decode_colour
from tests.simulator.test_picture import annex_b

SPEC = StreamSpec(width=320, height=184, fps=5, bitrate=400_000, gop_seconds=1)
BODY = 152
Planes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def coded(look: Look, count: int = 4) -> list[Planes]:
    """Luma and chroma of a loop's first pictures after encoding and decoding, without the edge of the caption bar."""
    recipe = Recipe(look, SPEC)
    sets = parameters(recipe)
    made = [unit.nals for unit in islice((one for one in units(recipe) if not one.again), count)]
    shown = decode_colour("h264", [annex_b([sets.sps, sets.pps, *nals]) for nals in made])
    assert len(shown) == count
    return [(y[: BODY - 4, :320], u[: BODY // 2 - 2, :160], v[: BODY // 2 - 2, :160]) for y, u, v in shown]


def sharpness(y: NDArray[np.float64]) -> float:
    """The steepest steps between neighbours."""
    return float(np.percentile(np.abs(np.diff(y, axis=1)), 99.5))


FINE = coded(Look(SceneKind.ROAD))[0]


def blue(shown: list[Planes]) -> bool:
    y, u, _ = shown[-1]
    return bool(np.ptp(y) < 8 and u.min() > 180)


def slate(shown: list[Planes]) -> bool:
    y = shown[-1][0]
    return bool(0.02 < np.mean(y > 150) < 0.2 and np.mean(y < 70) > 0.7)


SEEN: dict[Mood, Callable[[list[Planes]], bool]] = {
    Mood.BLACK: lambda shown: shown[-1][0].max() < 24,
    Mood.BLUE_SCREEN: blue,
    Mood.NO_SIGNAL: slate,
    Mood.COLOUR_BARS: lambda shown: bool(
        np.ptp(shown[-1][1].mean(axis=0)) > 90 and shown[-1][0].std(axis=0).max() < 12
    ),
    Mood.FROZEN: lambda shown: float(np.abs(shown[1][0] - shown[-1][0]).mean()) < 1,
    Mood.FROZEN_WITH_CLOCK: lambda shown: float(np.abs(shown[1][0] - shown[-1][0]).mean()) < 1,
    Mood.OVEREXPOSED: lambda shown: bool(np.mean(shown[-1][0] > 225) > 0.5),
    Mood.UNDEREXPOSED: lambda shown: bool(25 < np.percentile(shown[-1][0], 99) < 80 and shown[-1][0].std() > 4),
    Mood.BLURRED: lambda shown: sharpness(shown[-1][0]) < sharpness(FINE[0]) / 3 and shown[-1][0].std() > 20,
    Mood.COVERED: lambda shown: bool(shown[-1][0].max() < 90 and shown[-1][0].std() < 12),
    Mood.COLOUR_CAST: lambda shown: bool(shown[-1][2].mean() > FINE[2].mean() + 30),
    Mood.NOISY: lambda shown: float(np.abs(np.diff(shown[0][0], axis=1)).mean()) > 10,
    Mood.STRIPED: lambda shown: float(np.abs(shown[0][0] - FINE[0])[:, :40].mean()) > 20,
    Mood.MOVED: lambda shown: float(np.corrcoef(shown[0][0].ravel(), FINE[0].ravel())[0, 1]) < 0.8,
    Mood.LOW_CONTRAST: lambda shown: bool(shown[-1][0].std() < 0.25 * FINE[0].std() and shown[-1][0].mean() > 100),
}


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.FINE])
def test_each_mood_is_seen_after_encoding_and_a_fine_picture_has_none_of_them(mood: Mood) -> None:
    assert SEEN[mood](coded(Look(SceneKind.ROAD, mood=mood)))
    assert not SEEN[mood]([FINE, FINE]) or mood in (Mood.FROZEN, Mood.FROZEN_WITH_CLOCK)


@pytest.mark.parametrize("weather", list(Weather))
def test_by_infrared_light_there_is_no_colour_and_weather_stays_a_picture(weather: Weather) -> None:
    look = Look(SceneKind.GATE, night=True, infrared=True, weather=weather)
    shown = coded(look)
    assert all(float(np.abs(plane - 128).max()) < 3 for _, *colour in shown for plane in colour)
    assert shown[0][0].std() > 10
    clear = Pictures(replace(look, weather=Weather.CLEAR), 320, BODY).frame(0.15, 0).y
    drawn = Pictures(look, 320, BODY).frame(0.15, 0).y
    assert (weather is Weather.CLEAR) == bool(np.array_equal(clear, drawn))


def test_how_bad_a_mood_is_can_be_said_and_is_bounded() -> None:
    spreads = [
        float(Pictures(Look(SceneKind.ROAD, mood=Mood.NOISY, amount=amount), 320, BODY).frame(0.1, 0).y.std())
        for amount in (0.0, 10.0, 40.0)
    ]
    assert spreads == sorted(spreads)
    for mood in Mood:
        for amount in (-1e9, 1e9):
            picture = Pictures(Look(SceneKind.ROAD, True, mood=mood, amount=amount), 320, BODY).frame(0.1, 0)
            assert picture.y.min() >= 16, "no sample is ever 0"


def test_every_mood_and_weather_is_a_fault_by_the_same_name() -> None:
    assert set(MOODS.values()) == set(Mood) - {Mood.FINE}
    assert set(WEATHERS.values()) == set(Weather) - {Weather.CLEAR}
    assert {Mood.FROZEN, Mood.BLACK} < STILL
    assert MOODS[Fault.BLURRED] is Mood.BLURRED


def test_a_cloth_in_the_wind_has_no_seam() -> None:
    pictures = Pictures(Look(SceneKind.GATE, mood=Mood.COVERED), 640, 332)
    for number in range(12):
        across = pictures.light(number / 12, number).y[:-4].mean(axis=0)
        assert np.abs(np.diff(across)).max() < 2, "two borders of the cloth that do not fit are a sharp edge"


def test_snow_stays_in_the_key_frames_of_a_thin_stream() -> None:
    recipe = Recipe(Look(SceneKind.BRIDGE, mood=Mood.NOISY), replace(SPEC, bitrate=60_000))
    sets = parameters(recipe)
    made = [one.nals for one in islice(units(recipe), 24) if one.again][:4]
    shown = decode_colour("h264", [annex_b([sets.sps, sets.pps, *nals]) for nals in made])
    assert len(shown) == 4
    assert all(float(np.abs(np.diff(y[: BODY - 4, :320], axis=1)).mean()) > 10 for y, *_ in shown)
