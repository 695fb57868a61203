"""The caption that is written into encoded frames, and the loops that carry it."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from camera_hub.sight.freeze import CERTAIN
from camera_hub.sight.signal_loss import black
from camera_hub.sight.view import View
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture import font
from camera_hub.simulator.picture.bits import BitReader, BitWriter, escape, split_annex_b, unescape
from camera_hub.simulator.picture.loop_cache import LoopCache
from camera_hub.simulator.picture.loops import CaptionedLoop, DrawnLoop, Loop, Unit
from camera_hub.simulator.picture.making import Recipe, frame_of, parameters, recipe_for, units
from camera_hub.simulator.picture.scenes import Look, Mood, Scene, SceneKind
from camera_hub.simulator.picture.shelf import Shelf
from camera_hub.simulator.picture.snapshot import jpeg
from camera_hub.simulator.rtsp.packets import Packet
from tests.sight.scenes import kept, repetition
from tests.simulator.peers import Picture, decode

SMALL = StreamSpec(width=320, height=184, fps=5, bitrate=150_000, gop_seconds=1)
LARGE = StreamSpec(width=1008, height=560, fps=2, bitrate=600_000, gop_seconds=2)


def joined(packets: Sequence[Packet]) -> bytes:
    """The access unit in a run of H.264 payloads, as a receiver puts it together."""
    nals: list[bytes] = []
    for packet in packets:
        data = packet.payload
        match data[0] & 0x1F:
            case 24:
                at = 1
                while at < len(data):
                    length = int.from_bytes(data[at : at + 2], "big")
                    nals.append(data[at + 2 : at + 2 + length])
                    at += 2 + length
            case 28 if data[1] & 0x80:
                nals.append(bytes([data[0] & 0xE0 | data[1] & 0x1F]) + data[2:])
            case 28:
                nals[-1] += data[2:]
            case _:
                nals.append(data)
    return annex_b(nals)


def annex_b(nals: Sequence[bytes]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def whole_loop(look: Look, spec: StreamSpec) -> CaptionedLoop:
    recipe = Recipe(look, spec)
    loop = CaptionedLoop(frame_of(spec), parameters(recipe), recipe.length)
    for unit in units(recipe):
        loop.add(unit)
    assert loop.ready == loop.length
    return loop


def frames(recipe: Recipe) -> list[Unit]:
    return [unit for unit in units(recipe) if not unit.again]


def play(loop: Loop, captions: Sequence[str]) -> list[Picture]:
    """The pictures of as many frames as there are captions."""
    units, shown = [], ""
    for number, text in enumerate(captions):
        units.append(joined(loop.packets(number, shown, text)))
        shown = text
    return decode("h264", units)


def bar(picture: Picture, spec: StreamSpec) -> Picture:
    frame = frame_of(spec)
    return picture[frame.body_height : frame.body_height + font.CELL_HEIGHT * frame.scale]


@pytest.mark.slow
@pytest.mark.parametrize("spec", [SMALL, LARGE], ids=["one row of text", "two rows of text"])
def test_every_frame_shows_exactly_the_caption_it_was_sent_with(spec: StreamSpec) -> None:
    loop = whole_loop(Look(SceneKind.ROAD), spec)
    captions = [f"DONGGOU CUNKOU  2026-11-23 22:59:{number:02}" for number in range(58, 58 + 2)]
    captions += ["DONGGOU CUNKOU  2026-11-23 23:00:00"] * 2 + ["SHORTER 23:00:01"] * (loop.length - 4)
    shown = play(loop, captions)
    assert len(shown) == loop.length
    for picture, text in zip(shown, captions, strict=True):
        assert picture.shape == (spec.height, spec.width)
        expected = font.line(frame_of(spec).text(text), frame_of(spec).scale)
        found = bar(picture, spec)
        changed = np.flatnonzero(np.abs(found.astype(int) - expected).max(axis=0) > 12)
        assert changed.size == 0, f"columns {changed} of {text!r}"


def test_the_picture_above_the_caption_is_what_was_drawn() -> None:
    look = Look(SceneKind.BRIDGE)
    loop = whole_loop(look, SMALL)
    shown = play(loop, [f"CLOCK {number:02}" for number in range(loop.length)])
    body = frame_of(SMALL).body_height
    scene = Scene(look, SMALL.width, body)
    errors = [
        float(np.abs(picture[:body].astype(int) - scene.frame(number / loop.length, number).y).mean())
        for number, picture in enumerate(shown)
    ]
    assert max(errors) < 6, "the decoder drifts away from the encoder"


def test_a_loop_that_goes_round_decodes_without_a_seam() -> None:
    loop = whole_loop(Look(SceneKind.SQUARE, night=True), SMALL)
    units = [joined(loop.packets(number % loop.length, "A 1", "A 1")) for number in range(2 * loop.length)]
    assert len(decode("h264", units)) == 2 * loop.length


def test_places_look_different_by_day_by_night_and_mirrored() -> None:
    frame = frame_of(SMALL)
    looks = [Look(kind, night, mirrored) for kind in SceneKind for night in (False, True) for mirrored in (False, True)]
    drawn = [Scene(look, SMALL.width, frame.body_height).frame(0.3, 1).y.astype(int) for look in looks]
    closest = min(float(np.abs(a - b).mean()) for i, a in enumerate(drawn) for b in drawn[:i])
    assert closest > 2
    assert all(picture.min() >= 16 for picture in drawn)


def test_frozen_pictures_stand_still_and_black_ones_are_black() -> None:
    loop = whole_loop(Look(SceneKind.ROAD, mood=Mood.FROZEN), SMALL)
    shown = play(loop, ["X 1"] * loop.length)
    assert np.abs(shown[1].astype(int) - shown[-1]).mean() < 1
    assert loop.length == SMALL.fps, "one group of pictures, so that each key frame is the same"
    assert loop.packets(0, "", "X 1", 1) == loop.packets(0, "", "X 1", 2)
    black = whole_loop(Look(SceneKind.ROAD, mood=Mood.BLACK), SMALL)
    assert play(black, ["X 1"] * 3)[-1][: frame_of(SMALL).body_height].mean() < 20


def place(recipe: Recipe) -> tuple[str, Callable[[int, int], bytes]]:
    """A loop's codec, and its access unit for a frame's number and take."""
    made = list(units(recipe))
    if recipe.label:
        whole: CaptionedLoop | DrawnLoop = DrawnLoop(recipe.spec.codec, parameters(recipe), recipe.length)
    else:
        whole = CaptionedLoop(frame_of(recipe.spec), parameters(recipe), recipe.length)
    for unit in made:
        whole.add(unit)
    assert whole.ready == recipe.length
    again = [unit for unit in made if unit.again]
    assert len(again) == recipe.takes * recipe.length // recipe.gop

    def access_unit(number: int, take: int) -> bytes:
        if not recipe.label:
            return joined(whole.packets(number, "A 1", "A 1", take))
        if number % recipe.gop == 0:
            return annex_b(again[number // recipe.gop * recipe.takes + take % recipe.takes].nals)
        return annex_b([unit for unit in made if not unit.again][number].nals)

    return "hevc" if recipe.spec.codec == "h265" else "h264", access_unit


RECIPES = [
    Recipe(Look(SceneKind.GATE), SMALL),
    Recipe(Look(SceneKind.BRIDGE, night=True), SMALL),
    Recipe(Look(SceneKind.GATE), SMALL, "XUEFU", b_frames=True),
    Recipe(Look(SceneKind.GATE), StreamSpec("h265", 320, 192, 5, 100_000, 1), "XUEFU"),
]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=["day", "night", "b frames", "h265"])
def test_no_two_key_frames_of_a_healthy_loop_are_the_same_picture_nor_black(recipe: Recipe) -> None:
    codec, unit = place(recipe)
    takes = [(number, take) for number in range(0, recipe.length, recipe.gop) for take in range(recipe.takes)]
    shown = [decode(codec, [unit(number, take)])[0] for number, take in takes]
    same = [repetition(one, two) for one, two in combinations([kept(picture) for picture in shown], 2)]
    assert max(same) < CERTAIN - 0.1
    assert len(same) == len(takes) * (len(takes) - 1) // 2
    assert min(black(View.of(picture)) for picture in shown) > 60


@pytest.mark.parametrize("recipe", RECIPES, ids=["day", "night", "b frames", "h265"])
def test_what_follows_a_key_frame_decodes_after_each_of_its_takes(recipe: Recipe) -> None:
    codec, unit = place(recipe)
    gop = range(recipe.gop, 2 * recipe.gop)
    body = frame_of(recipe.spec).body_height
    drawn = [
        Scene(recipe.look, recipe.spec.width, body).frame(number / recipe.length, number).y.astype(int)
        for number in gop
    ]
    for take in range(recipe.takes):
        shown = decode(codec, [unit(number, take) for number in gop])
        assert len(shown) == len(gop)
        errors = [float(np.abs(picture[:body] - real).mean()) for picture, real in zip(shown, drawn, strict=True)]
        assert max(errors) < 8, f"take {take} drifts away"


def test_a_healthy_loop_moves() -> None:
    for kind in SceneKind:
        scene = Scene(Look(kind), SMALL.width, frame_of(SMALL).body_height)
        pictures = [scene.frame(turn, 0).y.astype(int) for turn in (0.1, 0.2, 0.5, 0.7, 0.9)]
        moved = [float((np.abs(a - b) > 20).mean()) for a, b in pairwise(pictures)]
        assert min(moved) > 0.001, kind


def test_h265_and_b_frames_decode_in_order() -> None:
    whole = frames(Recipe(Look(SceneKind.GATE), SMALL, "XUEFU", b_frames=True))
    assert any(unit.time_offset > 0 for unit in whole)
    shown_at = [number + unit.time_offset for number, unit in enumerate(whole)]
    assert sorted(shown_at) == list(range(len(whole)))
    spec = StreamSpec("h265", 320, 192, 5, 100_000, 1)
    h265 = frames(Recipe(Look(SceneKind.GATE), spec, "XUEFU"))
    pictures = decode("hevc", [annex_b(unit.nals) for unit in h265])
    assert len(pictures) == len(h265)
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 50


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(Look(SceneKind.GATE), SMALL, "XUEFU", b_frames=True),
        Recipe(Look(SceneKind.GATE), StreamSpec("h265", 320, 192, 5, 100_000, 1), "XUEFU"),
    ],
    ids=["b frames", "h265"],
)
def test_parameter_sets_are_known_before_the_loop_is_encoded(recipe: Recipe) -> None:
    known = parameters(recipe)
    first = next(units(recipe)).nals
    assert {known.sps, known.pps} <= set(first)
    assert not known.vps or known.vps in first


def test_emulation_prevention_goes_there_and_back() -> None:
    payload = b"\x00\x00\x00\x00\x00\x01\x00\x00\x02x\x00\x00\x03\x00\x00\x04"
    assert b"\x00\x00\x01" not in escape(payload)
    assert b"\x00\x00\x00" not in escape(payload)
    assert unescape(escape(payload)) == payload


def test_bits_are_read_as_they_were_written() -> None:
    out = BitWriter()
    for number in (0, 1, 2, 7, 255, 70_000):
        out.ue(number)
    reader = BitReader(out.finish())
    assert [reader.ue() for _ in range(6)] == [0, 1, 2, 7, 255, 70_000]
    with pytest.raises(ValueError, match="past the end"):
        reader.bits(64)


def test_nal_units_are_split_at_long_and_short_start_codes() -> None:
    assert split_annex_b(b"\x00\x00\x00\x01ab\x00\x00\x01cd\x00") == [b"ab", b"cd"]


async def test_channels_that_look_alike_share_one_loop(tmp_path: Path) -> None:
    look = Look(SceneKind.ROAD)
    async with LoopCache() as loops:
        first = await loops.loop(recipe_for(look, SMALL, "ONE", b_frames=False))
        second = await loops.loop(recipe_for(look, SMALL, "TWO", b_frames=False))
        assert first is second


async def test_a_loop_from_the_shelf_is_the_loop_that_was_encoded(tmp_path: Path) -> None:
    recipe = Recipe(Look(SceneKind.ROAD), SMALL)
    made = list(units(recipe))
    Shelf(tmp_path).put(repr(recipe), made)
    assert Shelf(tmp_path).get(repr(recipe)) == made
    async with LoopCache(tmp_path) as loops:
        loop = await loops.loop(recipe)
        whole = whole_loop(recipe.look, SMALL)
        assert [loop.packets(0, "", "A", take) for take in range(3)] == [
            whole.packets(0, "", "A", take) for take in range(3)
        ]


def test_a_file_on_the_shelf_that_is_cut_short_counts_as_absent(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("x", list(units(Recipe(Look(SceneKind.ROAD), SMALL))))
    (file,) = tmp_path.glob("*.loop")
    file.write_bytes(file.read_bytes()[:-5])
    assert shelf.get("x") is None
    file.write_bytes(b"nonsense")
    assert shelf.get("x") is None


def test_a_snapshot_is_a_jpeg_of_the_place() -> None:
    data = jpeg(Look(SceneKind.SQUARE), SMALL, "HEDONG  12:00", 3.0)
    assert data[:2] == b"\xff\xd8"
    (picture,) = decode("mjpeg", [data])
    assert picture.shape == (SMALL.height, SMALL.width)
    assert picture.std() > 20
