"""What devices' topics mean, which camera is meant, and how reports become occurrences: pure."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from camera_hub.cameras.device_events.occurrences import GAP, Occurrences, Subject
from camera_hub.cameras.device_events.topics import (
    DeviceEventKind,
    DeviceReport,
    ReportedCamera,
    camera_of,
    kind_of,
    report_of,
    wanted,
)
from camera_hub.cameras.onvif.notifications import MAX_MESSAGES, Notification, Pulled, pulled, topic_of

MOTION, TAMPER, LOSS = DeviceEventKind.MOTION, DeviceEventKind.TAMPER, DeviceEventKind.VIDEO_LOSS
PICTURE, HARDWARE = DeviceEventKind.PICTURE, DeviceEventKind.HARDWARE

TOPICS = {
    "tns1:VideoSource/MotionAlarm": MOTION,
    "tns1:RuleEngine/CellMotionDetector/Motion": MOTION,
    "tns1:RuleEngine/MotionRegionDetector/Motion": MOTION,
    " tns1:VideoSource / MotionAlarm ": MOTION,
    "VideoSource/MotionAlarm": MOTION,
    "tns1:videosource//motionalarm/": MOTION,
    "tns1:VideoAnalytics/tnsaxis:MotionDetection": MOTION,
    "tns1:VideoSource/GlobalSceneChange/ImagingService": TAMPER,
    "tns1:VideoSource/GlobalSceneChange/AnalyticsService": TAMPER,
    "tns1:RuleEngine/TamperDetector/Tamper": TAMPER,
    "tns1:VideoSource/tnsaxis:Tampering": None,
    "tns1:VideoSource/SignalLoss": LOSS,
    "tns1:VideoSource/ConnectionFailed": LOSS,
    "tns1:Device/tnshik:VideoLoss": LOSS,
    "tns1:VideoSource/ImageTooDark/ImagingService": PICTURE,
    "tns1:VideoSource/ImageTooBlurry/AnalyticsService": PICTURE,
    "tns1:Device/HardwareFailure/StorageFailure": HARDWARE,
    "tns1:Device/HardwareFailure/FanFailure": HARDWARE,
    # persons, plates, objects: dropped unread
    "tns1:RuleEngine/FieldDetector/ObjectsInside": None,
    "tns1:RuleEngine/LineDetector/Crossed": None,
    "tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering": None,
    "tns1:RuleEngine/CountAggregation/Counter": None,
    "tns1:RuleEngine/MyRuleDetector/PeopleDetect": None,
    "tns1:RuleEngine/MyRuleDetector/FaceDetect": None,
    "tns1:RuleEngine/Recognition/Face": None,
    "tns1:RuleEngine/Recognition/LicensePlate": None,
    "tns1:RuleEngine/tnshik:FaceDetection/Motion": None,
    "tns1:VideoAnalytics/tnsdahua:HumanTrait": None,
    "tns1:Device/Trigger/DigitalInput": None,
    "tns1:Monitoring/ProcessorUsage": None,
    "": None,
    "tns1:": None,
    "/": None,
    "VideoSource": None,
    "x" * 5000: None,
    "a/" * 200: None,
}


@pytest.mark.parametrize(("text", "kind"), TOPICS.items(), ids=[text[:50] for text in TOPICS])
def test_topics_mean_what_the_list_says_and_others_nothing(text: str, kind: DeviceEventKind | None) -> None:
    topic = topic_of(text)
    assert kind_of(topic) is kind
    assert wanted(topic) is (kind is not None)


def _message(topic: str, *, operation: str = "Changed", source: str = "", data: str = "") -> str:
    return (
        f'<w:NotificationMessage xmlns:w="urn:w" xmlns:tt="urn:tt"><w:Topic>{topic}</w:Topic><w:Message>'
        f'<tt:Message PropertyOperation="{operation}"><tt:Source>{source}</tt:Source><tt:Data>{data}</tt:Data>'
        "</tt:Message></w:Message></w:NotificationMessage>"
    )


def _item(name: str, value: str) -> str:
    return f'<tt:SimpleItem Name="{name}" Value="{value}"/>'


def _pulled(*messages: str) -> Pulled:
    return pulled(etree.fromstring(f"<PullMessagesResponse>{''.join(messages)}</PullMessagesResponse>"), wanted)


REPORTS = [
    (
        "tns1:VideoSource/MotionAlarm",
        "Changed",
        ("Source", "V1"),
        ("State", "true"),
        DeviceReport(MOTION, ("V1",), True),
    ),
    (
        "tns1:RuleEngine/CellMotionDetector/Motion",
        "Changed",
        ("VideoSourceConfigurationToken", "C3"),
        ("IsMotion", "false"),
        DeviceReport(MOTION, ("C3",), False),
    ),
    (
        "tns1:VideoSource/MotionAlarm",
        "Initialized",
        ("Source", "V1"),
        ("State", "0"),
        DeviceReport(MOTION, ("V1",), False),
    ),
    (
        "tns1:VideoSource/MotionAlarm",
        "Deleted",
        ("Source", "V1"),
        ("State", "true"),
        DeviceReport(MOTION, ("V1",), False),
    ),
    ("tns1:VideoSource/MotionAlarm", "Initialized", ("Source", "V1"), ("Odd", "7"), None),
    ("tns1:Device/HardwareFailure/FanFailure", "", ("Token", ""), ("Failed", "True"), DeviceReport(HARDWARE, (), True)),
    ("tns1:VideoSource/SignalLoss", "", ("Channel", "7"), ("Odd", "x"), DeviceReport(LOSS, ("7",), None)),
    ("tns1:RuleEngine/MyRuleDetector/FaceDetect", "Changed", ("Source", "V1"), ("State", "true"), None),
]


@pytest.mark.parametrize(("topic", "operation", "source", "data", "report"), REPORTS)
def test_a_message_is_reported_as_what_it_says(
    topic: str, operation: str, source: tuple[str, str], data: tuple[str, str], report: DeviceReport | None
) -> None:
    got = _pulled(_message(topic, operation=operation, source=_item(*source), data=_item(*data)))
    assert got.messages == 1
    assert [report_of(one) for one in got.notifications] in ([report], [])
    assert (not got.notifications) == (got.unread == 1)


def test_what_is_not_wanted_is_counted_and_not_read_and_a_flood_is_cut() -> None:
    got = _pulled(*(_message("tns1:RuleEngine/Recognition/Face", data=_item("Name", "somebody")) for _ in range(3)))
    assert got == Pulled((), 3, 0)
    flood = _pulled(*(_message("tns1:VideoSource/MotionAlarm") for _ in range(MAX_MESSAGES + 50)))
    assert (len(flood.notifications), flood.dropped) == (MAX_MESSAGES, 50)
    many = _message("tns1:VideoSource/MotionAlarm", data="".join(_item("x" * 500, "y" * 9000) for _ in range(100)))
    (one,) = _pulled(many).notifications
    assert len(one.data) == 16
    assert max(len(part) for item in one.data for part in item) == 128


@pytest.mark.parametrize(
    "broken", ["<a/>", "<a><NotificationMessage/></a>", "<a><NotificationMessage><Topic/></NotificationMessage></a>"]
)
def test_answers_without_messages_say_nothing(broken: str) -> None:
    assert _pulled(broken).notifications == ()
    assert pulled(None, wanted) == Pulled()
    assert report_of(Notification(("videosource", "motionalarm"))) == DeviceReport(MOTION, (), None)


RECORDER = tuple(ReportedCamera(100 + number, f"VideoSource_{number}") for number in range(1, 12))
CAMERAS = [
    (("VideoSource_3",), RECORDER, 103),
    (("VideoSourceConfig_11",), RECORDER, 111),
    (("Profile", "VideoSource_2"), RECORDER, 102),
    (("000",), RECORDER, None),
    (("VideoSource_77",), RECORDER, None),
    ((), RECORDER, None),
    (("x1",), (ReportedCamera(1, "a1"), ReportedCamera(2, "b1")), None),  # the number fits two
    (("whatever",), RECORDER[:1], 101),
    ((), RECORDER[:1], 101),
    ((), (), None),
    (("9" * 400,), RECORDER, None),
]


@pytest.mark.parametrize(("sources", "cameras", "camera_id"), CAMERAS)
def test_a_report_means_the_camera_whose_token_or_number_fits(
    sources: tuple[str, ...], cameras: tuple[ReportedCamera, ...], camera_id: int | None
) -> None:
    assert camera_of(sources, cameras) == camera_id


START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
SUBJECT = Subject(1, 101, MOTION)


def _after(*reports: tuple[float, bool | None], limit: int = 100) -> Occurrences:
    """Reports of one subject at these seconds."""
    all_ = Occurrences(limit)
    for seconds, active in reports:
        all_.report(SUBJECT, active, START + timedelta(seconds=seconds), seconds)
    return all_


TELLINGS: list[tuple[list[tuple[float, bool | None]], list[tuple[float, float | None, int]]]] = [
    ([(0, True), (5, False)], [(0, 5, 1)]),
    ([(0, True), (5, False), (30, True), (40, False)], [(0, 40, 2)]),  # within a minute: the same
    ([(0, True), (5, False), (5 + GAP, True)], [(0, 5, 1), (65, None, 1)]),
    ([(0, False)], []),
    ([(0, True), (1, True), (2, True)], [(0, None, 1)]),
    ([(0, None), (10, None), (20, None)], [(0, 20, 3)]),
    ([(second, bool(second % 2)) for second in range(1, 3600)], [(1, None, 1800)]),  # an hour of flapping: one row
    ([(0, True), (90_000, True)], [(0, 90_000, 1), (90_000, None, 1)]),  # what never ends: one a day
]


@pytest.mark.parametrize(("reports", "expected"), TELLINGS)
def test_reports_become_occurrences(
    reports: list[tuple[float, bool | None]], expected: list[tuple[float, float | None, int]]
) -> None:
    due = _after(*reports).due(0.0, 100, everything=True)
    told = [
        ((one.since - START).total_seconds(), one.until and (one.until - START).total_seconds(), one.count)
        for one in due
    ]
    assert told == expected


def test_one_that_lasts_is_written_rarely_and_one_that_is_lost_ends_with_its_last_report() -> None:
    all_ = _after((0, True))
    (one,) = all_.due(0.0, 10)
    all_.written(one, 0.0)
    for second in range(1, 59):
        all_.report(SUBJECT, True, START + timedelta(seconds=second), float(second))
    assert all_.due(59.0, 10) == []
    all_.report(SUBJECT, True, START + timedelta(seconds=61), 61.0)
    assert all_.due(61.0, 10) == [one]
    all_.written(one, 61.0)
    all_.lost(2, START + timedelta(hours=1))
    assert one.until is None
    all_.lost(1, START + timedelta(hours=1))
    assert one.until == START + timedelta(seconds=61)
    assert all_.due(500.0, 10) == [one]


def test_there_is_room_for_so_many_and_the_rest_is_counted() -> None:
    all_ = Occurrences(limit=10)
    for number in range(25):
        all_.report(Subject(number, None, TAMPER), True, START, 0.0)
    assert (len(all_), all_.dropped, len(all_.due(0.0, 100))) == (10, 15, 10)
    for one in all_.due(0.0, 100):
        all_.written(one, 0.0)
        all_.report(one.subject, False, START, 1.0)
    for one in all_.due(20.0, 100):
        all_.written(one, 200.0)
    for number in range(30, 38):
        all_.report(Subject(number, None, TAMPER), True, START, 200.0)
    assert all_.dropped == 15
