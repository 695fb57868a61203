"""How severe an alarm is: by cause, by what the site has set, and by the camera's importance."""

from pathlib import Path

import pytest

from camera_hub.errors import HubError, Reason
from camera_hub.health.judging.alarm_severity import Severity, SeverityRules, at_least
from camera_hub.health.judging.verdict import Aspect, aspect_of
from camera_hub.settings import load


@pytest.mark.parametrize(
    ("cause", "severity", "of_a_key_camera"),
    [
        ("hub_uplink", "critical", "critical"),
        ("village_link", "critical", "critical"),
        ("rounds_stopped", "critical", "critical"),
        ("device_down", "major", "critical"),
        ("timed_out", "major", "critical"),
        ("wrong_password", "major", "critical"),
        ("identity_changed", "major", "critical"),
        ("overloaded", "major", "critical"),
        ("black", "major", "critical"),
        ("no_signal", "major", "critical"),
        ("covered", "major", "critical"),
        ("no_recording", "major", "critical"),
        ("lossy", "minor", "major"),
        ("blurred", "minor", "major"),
        ("moved", "minor", "major"),
        ("recording_short", "minor", "major"),
        ("clock_wrong", "warning", "minor"),
        ("osd_name_wrong", "warning", "minor"),
    ],
)
def test_severity_follows_from_the_cause_and_the_cameras_importance(
    cause: str, severity: str, of_a_key_camera: str
) -> None:
    rules = SeverityRules()
    assert rules.of(cause, aspect_of(cause)) == severity
    assert rules.of(cause, aspect_of(cause), important=True) == of_a_key_camera


def test_what_the_site_has_set_holds_as_it_is() -> None:
    rules = SeverityRules({"frozen": Severity.WARNING})
    assert rules.of("frozen", Aspect.PICTURE) == rules.of("frozen", Aspect.PICTURE, important=True) == "warning"
    assert rules.of("black", Aspect.PICTURE) == "major"


def test_at_least_is_by_severity() -> None:
    for place, severity in enumerate(Severity):
        assert [at_least(severity, minimum) for minimum in Severity].count(True) == len(Severity) - place


def test_every_reason_has_one_aspect() -> None:
    aspects = {aspect: {reason for reason in Reason if aspect_of(reason) is aspect} for aspect in Aspect}
    assert aspects[Aspect.OSD] == {one for one in Reason if one.value.startswith("osd_")}
    assert {Reason.IDENTITY_CHANGED, Reason.ADDRESS_REFUSED, Reason.CLOCK_REFUSED} <= aspects[Aspect.MEDIA]
    assert {Reason.QUARANTINED, Reason.UNDECODABLE, Reason.MOVED} <= aspects[Aspect.PICTURE]
    assert Reason.CLOCK_LIES in aspects[Aspect.CLOCK]
    assert aspects[Aspect.REACHABLE] == set(), "an alarm of what is silent is of media"


@pytest.mark.parametrize("line", ['severities = {frozn = "minor"}', 'severities = {frozen = "notice"}'])
def test_a_severity_of_no_cause_or_no_word_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(f"[health]\n{line}\n")
    with pytest.raises(HubError, match=r"severities"):
        load(file, {})
    file.write_text('[health]\nseverities = {frozen = "minor"}\n')
    assert load(file, {}).health.severities == {"frozen": "minor"}
