"""Pages, headers, limits, probes."""

import gzip
import os
from pathlib import Path

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.api.static import StaticPages, accepted_encodings, matches
from camera_hub.app import MAX_BODY
from camera_hub.store.database import Database
from tests.api.conftest import Hub

pytestmark = pytest.mark.one_database

SCRIPT = b"export const words = 'one two three';"
BROTLI = b"not decoded in these tests"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    root = tmp_path / "web_dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>wall</title>")
    script = root / "assets" / "index-a1b2c3.js"
    script.write_bytes(SCRIPT)
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(SCRIPT))
    script.with_name(script.name + ".br").write_bytes(BROTLI)
    (root / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
async def browser(hub: Hub, pages: Path) -> httpx.AsyncClient:
    hub.app.router.default = StaticPages(pages)
    return await hub.client(None)


@pytest.mark.parametrize("path", ["/", "/wall", "/setup", "/tours/7/run"])
async def test_every_page_is_the_one_page_and_never_stale(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert "<title>wall</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_what_no_page_is_called_is_not_there(browser: httpx.AsyncClient) -> None:
    long = ("/" + "a" * 300, "/" + "a" * 60_000, "/" + "a/" * 3000)
    for path in (*long, "/%0a2026-11-28%20INFO", "/%00", "/%ff", "/x%E2%80%AEy"):
        for method, status in (("GET", 404), ("HEAD", 404), ("OPTIONS", 405), ("FOO", 405)):
            assert (await browser.request(method, path)).status_code == status, f"{method} {path[:30]}"


async def test_hashed_assets_are_kept_for_a_year(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/index-a1b2c3.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]
    assert (await browser.get("/favicon.svg")).headers["cache-control"] == "no-cache"


async def raw(browser: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer and its bytes as they were sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with browser.stream("GET", path, headers=named) as answer:
        return answer, b"".join([chunk async for chunk in answer.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "encoding", "content"),
    [
        ("gzip, deflate, br, zstd", "br", BROTLI),
        ("gzip, deflate", "gzip", gzip.compress(SCRIPT)[10:]),
        ("br;q=0, gzip;q=0.1", "gzip", gzip.compress(SCRIPT)[10:]),
        ("br;q=0.000, gzip;q=0", None, SCRIPT),
        ("identity", None, SCRIPT),
        ("", None, SCRIPT),
        ("*", "br", BROTLI),
        ("*;q=0", None, SCRIPT),
        (";;,=,q=0;br", None, SCRIPT),
    ],
)
async def test_a_file_comes_compressed_where_the_browser_takes_it(
    browser: httpx.AsyncClient, accepted: str, encoding: str | None, content: bytes
) -> None:
    answer, sent = await raw(browser, "/assets/index-a1b2c3.js", accept_encoding=accepted)
    assert answer.status_code == 200
    assert answer.headers.get("content-encoding") == encoding
    assert sent.endswith(content)
    assert int(answer.headers["content-length"]) == len(sent)
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-security-policy" in answer.headers


async def test_a_file_without_a_compressed_copy_comes_as_it_is(browser: httpx.AsyncClient) -> None:
    answer, sent = await raw(browser, "/favicon.svg", accept_encoding="br, gzip")
    assert ("content-encoding" in answer.headers, sent) == (False, b"<svg/>")
    assert answer.headers["content-type"] == "image/svg+xml"


async def test_head_says_what_get_would_send(browser: httpx.AsyncClient) -> None:
    answer = await browser.head("/assets/index-a1b2c3.js", headers={"accept-encoding": "br"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(BROTLI))
    assert answer.headers["content-encoding"] == "br"


async def test_what_a_browser_has_is_not_sent_again(browser: httpx.AsyncClient) -> None:
    first, _ = await raw(browser, "/wall", accept_encoding="br")
    again, sent = await raw(browser, "/wall", accept_encoding="br", if_none_match=f'"other", W/{first.headers["etag"]}')
    assert (again.status_code, sent) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (again.headers["cache-control"], again.headers["vary"]) == ("no-cache", "accept-encoding")
    assert "content-security-policy" in again.headers


async def test_each_encoding_has_a_tag_of_its_own(browser: httpx.AsyncClient) -> None:
    tags = {
        (await raw(browser, "/assets/index-a1b2c3.js", accept_encoding=encoding))[0].headers["etag"]
        for encoding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3


async def test_another_page_of_the_same_size_and_time_is_another_page(browser: httpx.AsyncClient, pages: Path) -> None:
    page = pages / "index.html"
    first, _ = await raw(browser, "/")
    at = page.stat()
    page.write_text(page.read_text().replace("wall", "hall"))
    os.utime(page, ns=(at.st_atime_ns, at.st_mtime_ns))
    again, sent = await raw(browser, "/", if_none_match=first.headers["etag"])
    assert (again.status_code, len(sent)) == (200, at.st_size)


async def test_a_range_is_answered_with_the_whole(browser: httpx.AsyncClient) -> None:
    answer, sent = await raw(browser, "/favicon.svg", range="bytes=0-1")
    assert (answer.status_code, sent) == (200, b"<svg/>")
    assert "accept-ranges" not in answer.headers


def test_encodings_are_ours_only() -> None:
    assert accepted_encodings("zstd, deflate, compress") == frozenset()
    assert accepted_encodings("GZIP;q=1.0, BR ; Q=0.5") == {"gzip", "br"}


def test_a_tag_is_compared_weakly() -> None:
    assert matches("*", '"a"')
    assert matches('W/"a", "b"', '"a"')
    assert not matches("", '"a"')
    assert not matches('"ab"', '"a"')


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-old.js",
        "/assets/../../secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        f"/{'a' * 300}.js",
        f"/{'a' * 5000}/b.js",
        "/assets/index-a1b2c3.js.br",
        "/assets/index-a1b2c3.js.gz",
    ],
)
async def test_missing_files_and_ways_out_are_not_there(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"


async def test_no_address_of_the_api_answers_with_a_page(browser: httpx.AsyncClient) -> None:
    for method in ("GET", "POST"):
        answer = await browser.request(method, "/api/nothing")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    answer = await browser.put("/api/setup")
    assert (answer.status_code, answer.json()["reason"]) == (405, "method_not_allowed")
    assert (await browser.post("/wall")).status_code == 405


async def test_scripts_come_from_the_hub_alone(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/api/setup", "/nothing.js", "/healthz"):
        answer = await browser.get(path)
        rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert rules["script-src"] == "'self'"
        assert rules["default-src"] == "'none'"
        assert rules["frame-ancestors"] == "'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await browser.get("/api/setup")).headers["cache-control"] == "no-store"


async def test_a_hub_without_pages_says_how_to_get_them(hub: Hub, tmp_path: Path) -> None:
    hub.app.router.default = StaticPages(tmp_path / "none")
    answer = await (await hub.client(None)).get("/wall")
    assert answer.status_code == 503
    assert "pip install" in answer.text


async def test_a_body_over_a_mebibyte_is_refused_announced_or_not(browser: httpx.AsyncClient) -> None:
    async def chunks() -> object:
        for _ in range(MAX_BODY // 65536 + 1):
            yield b" " * 65536

    announced = await browser.post("/api/session", content=b" " * (MAX_BODY + 1))
    streamed = await browser.post("/api/session", content=chunks(), headers={"content-type": "application/json"})  # type: ignore[arg-type]  # httpx types only bytes iterators
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_probes_say_alive_and_ready(hub: Hub) -> None:
    browser = await hub.client(None)
    assert (await browser.get("/healthz")).json()["status"] == "ok"
    assert (await browser.get("/readyz")).status_code == 200
    hub.parts[Database] = Database("sqlite+aiosqlite:////nowhere/hub.sqlite3")
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "database_away")


@pytest.mark.slow
async def test_the_system_page_and_the_description_are_for_those_who_may(hub: Hub) -> None:
    admin, operator = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.OPERATOR)
    answer = (await admin.get("/api/system")).json()
    assert answer["cameras"] == 0
    assert answer["started_at"] == answer["now"]
    assert (await operator.get("/api/system")).status_code == 403
    assert (await operator.get("/api/openapi.json")).status_code == 403
    assert "/api/users" in (await admin.get("/api/openapi.json")).json()["paths"]


@pytest.mark.processes
async def test_a_township_admin_restarts_a_relay_and_nobody_else(hub: Hub) -> None:
    admin, maintainer = await hub.client(Role.TOWNSHIP_ADMIN), await hub.client(Role.MAINTAINER)
    assert (await maintainer.post("/api/system/relays/0/restart")).status_code == 403
    before = (await admin.get("/api/system")).json()["relays"][0]
    answer = await admin.post("/api/system/relays/0/restart")
    assert (answer.status_code, answer.json()) == (200, {"relay": 0, "epoch": 2})
    after = (await admin.get("/api/system")).json()["relays"][0]
    assert after["pid"] != before["pid"]
    assert after["port"] == before["port"]
    assert (await admin.post("/api/system/relays/9/restart")).status_code == 404
