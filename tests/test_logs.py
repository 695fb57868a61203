"""No secret reaches a log, whoever writes it."""

import ast
import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub import logs
from camera_hub.logs import MAX_MESSAGE, Redaction, Sparing, outside, redact
from camera_hub.text import is_invisible
from tests.house import MODULES, PACKAGE, trees


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
        ("POST /api/whep/8064e70126b8e1766cc016bfb8a90ccc/5 failed", "8064e70126b8e1766cc016bfb8a90ccc"),
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


def _logged(message: str, *args: object, error: Exception | None = None) -> str:
    """What a process that `set_up` has configured writes to its log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Sparing())
    handler.addFilter(Redaction())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    caught = None if error is None else (type(error), error, error.__traceback__)
    handler.handle(logging.LogRecord("camera_hub.x", logging.ERROR, __file__, 1, message, args, caught))
    return stream.getvalue()


@given(st.text(), st.booleans())
def test_no_text_from_outside_writes_a_line_of_its_own_or_moves_the_cursor(text: str, fails: bool) -> None:
    written = _logged("GET %s failed", text, error=ValueError(text) if fails else None)
    first, *rest = written.removesuffix("\n").split("\n")
    assert first.startswith("ERROR camera_hub.x: GET ")
    assert all(line.startswith("  | ") for line in rest)
    assert bool(rest) == fails
    assert not any(is_invisible(letter) for letter in written.replace("\n", ""))


@pytest.mark.parametrize(
    "text", ["a" * 60_000, "a." * 30_000, "password='" * 6000, "\u202e" * 60_000], ids=["a", "a.", "p", "bidi"]
)
def test_a_long_text_is_cut_and_soon(text: str) -> None:
    assert len(_logged("GET %s", text)) < 3 * MAX_MESSAGE
    assert len(_logged("GET %s", "/", error=OSError(text))) < 15_000
    assert len(outside(text)) < 300


def test_a_text_beside_our_words_is_quoted() -> None:
    assert outside("/x\n2026-11-28 INFO all is well") == '"/x\\n2026-11-28 INFO all is well"'
    assert outside("rtsp://admin:Tk7x@127.0.0.1/") == '"rtsp://***@127.0.0.1/"'
    assert outside("村口" * 500) == f'"{"村口" * 100}… (1000 characters)"'


def test_a_secret_at_the_cut_does_not_remain_in_half() -> None:
    assert "Tk7" not in _logged("%s", "x" * 7980 + " rtsp://admin:Tk7xyzzy@127.0.0.1/")


def test_the_same_line_is_logged_so_often_a_minute_and_no_more() -> None:
    now = 0.0
    sparing = Sparing(lambda: now)

    def said(
        name: str = "uvicorn.error", text: str = "Invalid HTTP request received.", *, times: int = 1000
    ) -> list[str]:
        records = [logging.LogRecord(name, logging.WARNING, "", 1, text, (), None) for _ in range(times)]
        return [record.getMessage() for record in records if sparing.filter(record)]

    assert len(lines := said()) == Sparing.FOREIGN
    assert lines[-1].endswith("(more such lines of this minute are not logged)")
    assert said() == []
    assert len(said(text="another")) == Sparing.FOREIGN
    assert len(said("camera_hub.api", "ours")) == Sparing.OURS
    now = 61.0
    assert len(said()) == Sparing.FOREIGN
    for number in range(2000):
        said("x", str(number), times=1)
    assert len(sparing._minutes) == Sparing.KINDS


def test_every_process_logs_through_these_filters() -> None:
    """Nothing else may open a way to the log."""
    ways = {"basicConfig", "StreamHandler", "FileHandler", "addHandler", "dictConfig", "fileConfig"}
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        for node in ast.walk(trees()[path])
        if isinstance(node, ast.Attribute) and node.attr in ways
    ]
    assert [path for path in found if not path.startswith(("simulator/", "bench/"))] == ["logs.py"]


def test_set_up_puts_them_before_the_only_handler(capsys: pytest.CaptureFixture[str]) -> None:
    kept = logging.root.handlers[:], logging.root.level
    try:
        logs.set_up("INFO", "relay")
        logging.getLogger("uvicorn.error").warning("x %s", "\n\x1b[2J")
        logging.getLogger("camera_hub.test").info("password=%s", "Tk7x")
    finally:
        logging.root.handlers[:], level = kept
        logging.root.setLevel(level)
        logging.captureWarnings(False)
    written = capsys.readouterr().err.splitlines()
    assert [line.partition("relay ")[2] for line in written] == [
        "WARNING uvicorn.error: x \\n\\x1b[2J",
        "INFO camera_hub.test: password=***",
    ]
