"""No secret reaches a log, whoever writes it."""

import logging

import pytest

from camera_hub.logs import Redaction, redact


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("DESCRIBE rtsp://admin:Tk7!x@127.0.0.1:554/ch1 failed", "Tk7!x"),
        ("rtsps://admin:p@ss@127.0.0.1/ch1", "p@ss"),
        ("postgresql+psycopg://hub:Tk7x@127.0.0.1/hub", "Tk7x"),
        ('Authorization: Digest username="admin", response="6629fae4"', "6629fae4"),
        ("{'Authorization': 'Basic YWRtaW46VGs3eA=='}", "YWRtaW46VGs3eA"),
        ("cookie: camera_hub_session=abcdef123", "abcdef123"),
        ("password=Tk7x", "Tk7x"),
        ('{"username": "li", "password": "Tk7 \\" x"}', "Tk7"),
        ("{'new_password': 'Tk7x', 'a': 1}", "Tk7x"),
        ("PWD: Tk7x", "Tk7x"),
        ('<wsse:Password Type="http://x#PasswordDigest">Tk7x\n=</wsse:Password>', "Tk7x"),
        ("/setup?token=Tk7x", "Tk7x"),
        ("DESCRIBE rtsp://hub:8554/8064e70126b8e1766cc016bfb8a90ccc/5", "8064e70126b8e1766cc016bfb8a90ccc"),
    ],
)
def test_a_secret_is_taken_out(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "camera 7 (东沟村 村口) stream 12: wrong_password, next try in 60 s",
        "rtsp://127.0.0.1:554/ch1?user@host",
        "GET /api/session/password 200",
        "2026-11-23 08:00:00 the link is http://127.0.0.1:8000/",
    ],
)
def test_the_rest_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_arguments_and_tracebacks_are_cleaned_before_any_formatter_sees_them() -> None:
    def fail() -> None:
        raise ValueError("cannot open rtsp://admin:Tk7x@127.0.0.1/")

    with pytest.raises(ValueError, match="cannot open") as caught:
        fail()
    record = logging.LogRecord(
        "x", logging.ERROR, __file__, 1, "password=%s of %d", ("Tk7x", 7), (ValueError, caught.value, caught.tb)
    )
    assert Redaction().filter(record)
    said = logging.Formatter().format(record)
    assert "Tk7x" not in said
    assert "of 7" in said
    assert "Traceback" in said
    assert record.args is None
