"""The table of causes: which part of a township is dead, and which alarms follow.

`python -m tests.health.test_cause_table` prints it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from camera_hub.health.judging.causes import CameraCase, JudgingRules, expected_alarms
from camera_hub.health.judging.verdict import Verdict

RULES = JudgingRules(bad=2, bad_of=3, village_share=0.8, recheck=10.0, reach=2.0, clock_error=30.0)
LONG_AGO = -10_000.0
DEAD = Verdict("fault", "timed_out", LONG_AGO)
WELL = Verdict("ok", None, LONG_AGO)


@dataclass(frozen=True, slots=True)
class Village:
    """`recorders`: channels of each, and whether it is dead. `dead` of `others` single cameras are dead."""

    recorders: tuple[tuple[int, bool], ...] = ()
    dead: int = 0
    others: int = 0


CALM = Village(others=8)
DARK = Village(dead=4, others=4)


def recorder(channels: int, dead: int, others: int, *, alive: bool = False) -> Village:
    """A village with one recorder, dead unless said otherwise, and single cameras."""
    return Village(((channels, not alive),), dead, others)


ROWS: list[tuple[str, list[Village], str]] = [
    ("a recorder of 32 and 1 of 7 cameras", [recorder(32, 1, 7), CALM], "device (32), camera (1)"),
    ("a recorder of 32, 7 cameras alive", [recorder(32, 0, 7), CALM], "device (32)"),
    ("a recorder of 8 and 2 of 7 cameras", [recorder(8, 2, 7), CALM], "device (8), 2 × camera (1)"),
    ("a recorder of 32, the only other camera alive", [recorder(32, 0, 1), CALM], "device (32)"),
    ("a recorder of 32 and the only other camera", [recorder(32, 1, 1), CALM], "village (33)"),
    ("a recorder of 32 and 3 of 4 cameras: 4 of 5 devices", [recorder(32, 3, 4), CALM], "village (35)"),
    ("a recorder of 32 and 2 of 4 cameras: 3 of 5 devices", [recorder(32, 2, 4), CALM], "device (32), 2 × camera (1)"),
    ("7 of 7 cameras beside a living recorder of 32", [recorder(32, 7, 7, alive=True), CALM], "village (7)"),
    ("3 of 7 cameras beside a living recorder of 32", [recorder(32, 3, 7, alive=True), CALM], "3 × camera (1)"),
    ("2 recorders of 16, 6 cameras alive", [Village(((16, True),) * 2, 0, 6), CALM], "2 × device (16)"),
    ("1 of 2 recorders of 16, nothing else there", [Village(((16, True), (16, False))), CALM], "device (16)"),
    ("2 of 2 recorders of 16, nothing else there", [Village(((16, True),) * 2), CALM], "village (32)"),
    ("the only device, a recorder of 32", [recorder(32, 0, 0), CALM], "device (32)"),
    ("the only device, a camera", [Village(dead=1, others=1), CALM], "camera (1)"),
    ("8 of 8 cameras", [Village(dead=8, others=8), CALM], "village (8)"),
    ("4 of 5 cameras: exactly the share", [Village(dead=4, others=5), CALM], "village (4)"),
    ("3 of 5 cameras", [Village(dead=3, others=5), CALM], "3 × camera (1)"),
    ("a recorder of 32 in each of 2 villages, 7 cameras alive in each", [recorder(32, 0, 7)] * 2, "2 × device (32)"),
    ("a recorder of 32 in each of 10 villages, 7 cameras alive in each", [recorder(32, 0, 7)] * 10, "10 × device (32)"),
    ("2 of 3 villages", [recorder(8, 3, 3), DARK, CALM], "village (11), village (4)"),
    ("3 of 3 villages", [recorder(8, 3, 3), DARK, recorder(32, 0, 0)], "hub (47)"),
    ("9 of 10 villages: the share of the uplink", [*[DARK] * 9, CALM], "hub (36)"),
    ("8 of 10 villages", [*[DARK] * 8, CALM, CALM], "8 × village (4)"),
]
"""What is dead · the township · which alarms are raised: level (cameras), the highest level first."""


def cases(villages: Iterable[Village]) -> list[CameraCase]:
    """The cameras of a township, all confirmed long ago."""
    found: list[CameraCase] = []
    device = 0

    def add(village: int, channels: int, dead: bool) -> None:
        nonlocal device
        device += 1
        for _ in range(channels):
            media, silences = (DEAD, (LONG_AGO, LONG_AGO + 10)) if dead else (WELL, ())
            silent = LONG_AGO if dead else None
            answered = None if dead else 0.0
            number = len(found) + 1
            found.append(
                CameraCase(number, device, village, media, silent_since=silent, answered_at=answered, silences=silences)
            )

    for village, one in enumerate(villages, start=1):
        for channels, dead in one.recorders:
            add(village, channels, dead)
        for number in range(one.others):
            add(village, 1, number < one.dead)
    return found


def raised(villages: Iterable[Village]) -> str:
    """The alarms that are opened, as ROWS writes them."""
    expected = expected_alarms(cases(villages), {}, open_keys=frozenset(), recovered={}, now=0.0, rules=RULES)
    levels = ["hub", "village", "device", "camera"]
    opened = sorted((one for one in expected if not one.pending), key=lambda one: levels.index(one.key.level))
    counted = Counter(f"{one.key.level} ({len(one.members)})" for one in opened)
    return ", ".join(words if number == 1 else f"{number} × {words}" for words, number in counted.items())


@pytest.mark.parametrize(("what", "villages", "alarms"), ROWS, ids=[what for what, *_ in ROWS])
def test_the_alarm_is_raised_at_the_level_of_its_cause(what: str, villages: list[Village], alarms: str) -> None:
    assert raised(villages) == alarms


if __name__ == "__main__":
    print("dead | alarms", "--- | ---", *(f"{what} | {raised(villages)}" for what, villages, _ in ROWS), sep="\n")  # noqa: T201
