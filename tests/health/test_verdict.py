"""N of M, hysteresis, and which reason names the cause."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.health.judging.verdict import UNKNOWN, Sample, Verdict, contradicts, judge, most_telling

OK = Verdict("ok", None, 0.0)


def samples(*reasons: str | None) -> list[Sample]:
    return [Sample(10.0 * n, reason) for n, reason in enumerate(reasons)]


def settle(*reasons: str | None, before: Verdict = UNKNOWN) -> Verdict:
    """Judge after each observation in turn, as the rounds do."""
    seen: list[Sample] = []
    for sample in samples(*reasons):
        seen.append(sample)
        before = judge(seen, before, bad=2, bad_of=3)
    return before


def test_one_bad_look_is_no_fault_and_two_of_three_are() -> None:
    assert settle(None, "unreachable") == OK
    assert settle(None, "unreachable", None, "unreachable") == Verdict("fault", "unreachable", 10.0)


def test_a_new_camera_is_unknown_until_it_is_seen_well_or_confirmed_bad() -> None:
    assert settle() == UNKNOWN
    assert settle("no_media").state == "unknown"
    assert settle("no_media", "no_media") == Verdict("fault", "no_media", 0.0)
    assert settle(None).state == "ok"


def test_recovery_needs_three_good_looks_in_a_row() -> None:
    fault = settle("no_media", "no_media")
    assert settle(None, None, before=fault) == fault
    assert settle(None, "no_media", None, None, before=fault).state == "fault"
    assert settle(None, None, None, before=fault) == Verdict("ok", None, 0.0)


def test_a_camera_that_comes_and_goes_stays_one_fault() -> None:
    verdict, seen, turns = OK, [], 0
    for number in range(100):
        seen.append(Sample(float(number), "unreachable" if number % 2 else None))
        after = judge(seen, verdict, bad=2, bad_of=3)
        turns += after != verdict
        verdict = after
    assert (verdict.state, turns) == ("fault", 1)


def test_the_most_specific_reason_names_the_cause_and_of_equals_the_latest() -> None:
    assert most_telling(samples("wrong_password", "timed_out")).reason == "wrong_password"
    assert most_telling(samples("timed_out", "unreachable")).reason == "unreachable"
    assert most_telling(samples("wrong_password", "locked_out")).reason == "wrong_password"
    assert most_telling(samples("not_activated", "wrong_password")).reason == "not_activated"
    assert most_telling(samples("no_media", "no_key_frame")).reason == "no_key_frame"
    assert most_telling(samples("timed_out", "stalled")).reason == "timed_out"


def test_the_cause_follows_the_facts_while_the_fault_began_once() -> None:
    verdict = settle("unreachable", "unreachable", None, "wrong_password", "wrong_password")
    assert verdict == Verdict("fault", "wrong_password", 0.0)


def test_a_look_against_the_verdict_is_contradicts() -> None:
    fault = Verdict("fault", "black", 0.0)
    assert contradicts(samples("black"), OK)
    assert contradicts(samples(None), fault)
    assert contradicts(samples("black"), UNKNOWN)
    assert not contradicts(samples("black"), fault)
    assert not contradicts(samples(None), OK)
    assert not contradicts([], fault)


@given(
    st.lists(st.sampled_from([None, None, "black", "unreachable", "wrong_password"]), max_size=40),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_a_verdict_never_turns_without_enough_evidence(reasons: list[str | None], bad: int, more: int) -> None:
    verdict, seen = UNKNOWN, []
    for number, reason in enumerate(reasons):
        seen.append(Sample(float(number), reason))
        after = judge(seen, verdict, bad=bad, bad_of=bad + more)
        window = [sample.reason for sample in seen[-(bad + more) :]]
        if after.state != verdict.state:
            if after.state == "fault":
                assert sum(r is not None for r in window) >= bad
            else:
                assert window[-1] is None
                assert None in window
                assert verdict.state == "unknown" or all(r is None for r in window)
        assert (after.cause is None) == (after.state != "fault")
        assert after.cause is None or after.cause in reasons
        verdict = after


def test_words_and_values_are_of_the_look_that_gave_the_cause() -> None:
    seen = [
        Sample(0.0, "wrong_password", "the camera refuses user name or password"),
        Sample(10.0, "timed_out", "the camera did not answer DESCRIBE"),
    ]
    verdict = judge(seen, UNKNOWN, bad=2, bad_of=3)
    assert (verdict.cause, verdict.detail) == ("wrong_password", "the camera refuses user name or password")
    seen.append(Sample(20.0, "timed_out", "the camera did not answer SETUP"))
    assert judge(seen, verdict, bad=2, bad_of=3) == verdict
    seen.append(Sample(30.0, "timed_out", "the camera did not answer PLAY"))
    verdict = judge(seen, verdict, bad=2, bad_of=3)
    assert (verdict.cause, verdict.detail, verdict.since) == ("timed_out", "the camera did not answer PLAY", 0.0)


def test_numbers_that_change_are_no_new_fault_and_another_cause_within_the_reason_is() -> None:
    seen = [Sample(float(n), "lossy", f"{n} %", {"cause": "gap", "percent": n}) for n in range(10, 13)]
    verdict = judge(seen[:2], UNKNOWN, bad=2, bad_of=3)
    assert judge(seen, verdict, bad=2, bad_of=3) is verdict
    seen.append(Sample(20.0, "lossy", "9 %", {"cause": "broken", "percent": 9}))
    assert judge(seen, verdict, bad=2, bad_of=3).params == {"cause": "broken", "percent": 9}
