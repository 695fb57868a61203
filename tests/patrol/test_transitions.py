"""What a result becomes by what is done: the whole matrix, and what holds all over it."""

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from camera_hub.patrol.proof.transitions import (
    Act,
    ActKind,
    CameraResult,
    Refusal,
    ResultState,
    after,
    corrects,
)

LEAST = 3.0
SEEN, UNSEEN = 5.0, 1.0
STATES: tuple[ResultState, ...] = get_args(ResultState)
ACTS: tuple[ActKind, ...] = get_args(ActKind)

# Of a camera that was seen, with nothing wrong with it, and an act with words of its own: what becomes of it for one
# who does not know that it is confirmed, and for one who does.
MATRIX: dict[tuple[ResultState, ActKind], tuple[ResultState | Refusal, ResultState | Refusal]] = {
    ("open", "normal"): ("normal", "normal"),
    ("open", "abnormal"): ("abnormal", "abnormal"),
    ("open", "find"): ("abnormal", "abnormal"),
    ("open", "reword"): ("open", "open"),
    ("open", "unfind"): ("open", "open"),
    ("open", "excuse"): ("open", "open"),  # it was seen: there is something to confirm
    ("open", "look"): ("open", "open"),
    ("normal", "normal"): ("normal", "normal"),
    ("normal", "abnormal"): ("already_confirmed", "abnormal"),
    ("normal", "find"): ("already_confirmed", "abnormal"),
    ("normal", "reword"): ("normal", "normal"),
    ("normal", "unfind"): ("normal", "normal"),
    ("normal", "excuse"): ("normal", "normal"),
    ("normal", "look"): ("normal", "normal"),
    ("abnormal", "normal"): ("already_confirmed", "normal"),
    ("abnormal", "abnormal"): ("already_confirmed", "abnormal"),
    ("abnormal", "find"): ("abnormal", "abnormal"),
    ("abnormal", "reword"): ("abnormal", "abnormal"),
    ("abnormal", "unfind"): ("abnormal", "abnormal"),  # somebody had called it abnormal in other words
    ("abnormal", "excuse"): ("abnormal", "abnormal"),
    ("abnormal", "look"): ("abnormal", "abnormal"),
    ("excused", "normal"): ("normal", "normal"),
    ("excused", "abnormal"): ("abnormal", "abnormal"),
    ("excused", "find"): ("abnormal", "abnormal"),
    ("excused", "reword"): ("excused", "excused"),
    ("excused", "unfind"): ("excused", "excused"),
    ("excused", "excuse"): ("excused", "excused"),
    ("excused", "look"): ("open", "open"),
}


def of(state: ResultState) -> CameraResult:
    return CameraResult(0, 1, state, seen_s=SEEN, words="积水" if state == "abnormal" else "", by="张三")


def told(outcome: CameraResult | Refusal) -> ResultState | Refusal:
    return outcome.result if isinstance(outcome, CameraResult) else outcome


def test_the_matrix_is_whole() -> None:
    assert MATRIX.keys() == set(product(STATES, ACTS))


@pytest.mark.parametrize(("pair", "outcomes"), MATRIX.items(), ids=lambda one: "-".join(map(str, one)))
def test_what_becomes_of_a_result(
    pair: tuple[ResultState, ActKind], outcomes: tuple[ResultState | Refusal, ResultState | Refusal]
) -> None:
    state, kind = pair
    found = [told(after(of(state), Act(kind, "路面塌陷", "别的", change=change), LEAST)) for change in (False, True)]
    assert tuple(found) == outcomes


EVERY_RESULT = [
    CameraResult(0, 1, state, seen_s=seen, why=why, words=words, findings=findings, fault=fault, by="张三")
    for state, seen, why, words, findings, fault in product(
        STATES, (UNSEEN, SEEN), (None, "passed_over", "black"), ("", "积水"), (0, 1, 2), (None, "black")
    )
]
EVERY_ACT = [
    Act(kind, words, was, change)
    for kind, words, was, change in product(ACTS, ("", "积水", "路面塌陷"), ("", "积水"), (False, True))
]
MAY = {
    ("open", "normal"): {"normal"},
    ("open", "abnormal"): {"abnormal", "find"},
    ("open", "excused"): {"excuse"},
    ("normal", "abnormal"): {"abnormal", "find"},
    ("abnormal", "normal"): {"normal"},
    ("abnormal", "open"): {"unfind"},
    ("excused", "open"): {"look"},
    ("excused", "normal"): {"normal"},
    ("excused", "abnormal"): {"abnormal", "find"},
}


def test_what_holds_of_every_result_and_act() -> None:
    """Some 10,000 cases."""
    wrong = list[tuple[str, CameraResult, Act, object]]()
    for before, act in product(EVERY_RESULT, EVERY_ACT):
        outcome = after(before, act, LEAST)
        broken = None
        if not isinstance(outcome, CameraResult):
            if act.kind not in ("normal", "abnormal", "find"):
                broken = "the hub's own acts are never refused"
            elif outcome == "not_seen" and before.seen(LEAST):
                broken = "what was seen is not called unseen"
            elif outcome == "already_confirmed" and not before.confirmed:
                broken = "only what is confirmed is called so"
        elif outcome.result != before.result and act.kind not in MAY.get((before.result, outcome.result), ()):
            broken = "there is no such way"
        elif corrects(before, outcome) and act.kind in ("normal", "abnormal", "find"):
            if not (act.change and act.words):
                broken = "a confirmed result is changed only knowingly, and for a reason"
        elif corrects(before, outcome):
            if act.kind not in ("reword", "unfind") or before.words != act.was:
                broken = "a confirmed result follows only the finding that it has its words from"
        elif outcome.result == "normal" != before.result and not before.seen(LEAST):
            broken = "nobody confirms as normal what was not seen"
        elif outcome.result == "normal" and before.result == "abnormal" and before.findings:
            broken = "a finding is not unsaid"
        elif (
            replace(outcome, result=before.result, words=before.words, findings=before.findings, by=before.by) != before
        ):
            broken = "nothing else of it changes"
        if broken is not None:
            wrong.append((broken, before, act, outcome))
    assert wrong[:5] == []


def test_a_change_is_one_whoever_had_confirmed_it_before() -> None:
    """One's own word is changed like another's: the rule knows no persons."""
    for by in ("张三", "李四", None):
        before = replace(of("normal"), by=by)
        assert told(after(before, Act("abnormal", "积水"), LEAST)) == "already_confirmed"
        assert told(after(before, Act("abnormal", "积水", change=True), LEAST)) == "abnormal"
        assert told(after(before, Act("abnormal", change=True), LEAST)) == "words_needed"


@pytest.mark.parametrize(("findings", "becomes"), [(1, ("open", "")), (2, ("abnormal", "积水"))])
def test_without_its_last_finding_a_result_is_open_again(findings: int, becomes: tuple[ResultState, str]) -> None:
    before = CameraResult(0, 1, "abnormal", seen_s=SEEN, words="积水", findings=findings)
    outcome = after(before, Act("unfind", was="积水"), LEAST)
    assert isinstance(outcome, CameraResult)
    assert (outcome.result, outcome.words, outcome.findings) == (*becomes, findings - 1)


def test_a_result_follows_the_words_of_its_finding() -> None:
    before = CameraResult(0, 1, "abnormal", seen_s=SEEN, words="积水", findings=1)
    reworded = after(before, Act("reword", "积水已退", "积水"), LEAST)
    assert reworded == replace(before, words="积水已退")
    assert corrects(before, before) is False
    assert isinstance(reworded, CameraResult)
    assert corrects(before, reworded)
