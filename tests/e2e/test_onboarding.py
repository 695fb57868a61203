"""A village comes on board: its own sheet, one row mended, the township's approval, the operator's open wall."""

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.e2e.site import PASSWORD, PATIENCE, Site, client, running_site, until

pytestmark = pytest.mark.browser

HEADERS = ("序号", "摄像机名称", "IP地址", "HTTP端口", "通道号", "用户名", "登录密码", "点位类别", "安装位置")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two villages: a recorder in the first, single cameras in the second; nothing is registered."""
    folder = tmp_path_factory.mktemp("onboarding")
    with running_site(folder, villages=2, cameras=10, HEALTH__ROUND_SECONDS="3", HEALTH__PICTURE_SECONDS="30") as site:
        yield site


@dataclass
class Person:
    """Somebody with an account of their own: a page, and what its WebSocket has heard."""

    username: str
    page: Page
    api: httpx.Client
    heard: list[str] = field(default_factory=list)

    def listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.heard.append(str(frame)))


@contextmanager
def person(browser: Browser, site: Site, username: str, password: str, **screen: Any) -> Iterator[Person]:
    """Signed in by the form; a script error on the page fails the test."""
    with ExitStack() as stack:
        context = browser.new_context(locale="zh-CN", **{"viewport": {"width": 1600, "height": 900}, **screen})
        stack.callback(context.close)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        api = stack.enter_context(client(site.url))
        answer = api.post("/api/session", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        one = Person(username, page, api)
        page.on("websocket", one.listen)
        page.goto(site.url)
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url("**/wall**")
        yield one
        assert errors == []


def account(site: Site, username: str, role: str, village_id: int | None = None) -> str:
    """A new account's password."""
    password = secrets.token_urlsafe(12)
    villages = None if village_id is None else [{"village_id": village_id}]
    body = {"username": username, "display_name": username, "role": role, "password": password, "villages": villages}
    site.post("/api/users", body)
    return password


def sheet(village: dict[str, Any], names: list[str]) -> bytes:
    """A village's own sheet: a title over all columns, headers of its own wording, and one address cut short."""
    (recorder,) = village["devices"]
    book = openpyxl.Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = "点位"
    page.append([f"{village['name']}视频监控点位汇总表"])
    page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADERS))
    page.append(HEADERS)
    for number, (name, channel) in enumerate(zip(names, recorder["channels"], strict=True), 1):
        host = recorder["host"] if number != 3 else recorder["host"].rpartition(".")[0]
        login = (recorder["username"], recorder["password"])
        page.append(
            [number, name, host, recorder["onvif_port"], channel["number"], *login, "重点路段", f"{name}旁立杆"]
        )
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_sheet_is_mended_approved_and_seen(browser: Browser, site: Site) -> None:
    village, other = site.villages
    names = [f"{village['name']}迎宾路{number}号杆" for number in range(1, len(village["devices"][0]["channels"]) + 1)]
    site.post("/api/villages", {"names": [one["name"] for one in site.villages]})
    ids = {one["name"]: one["id"] for one in site.get("/api/villages")}
    for one in site.villages:
        network = one["devices"][0]["host"].rpartition(".")[0]
        answer = site.api.patch(f"/api/villages/{ids[one['name']]}", json={"ranges": [f"{network}.0/24"]})
        assert answer.status_code == 200, answer.text

    with ExitStack() as stack:
        enter = stack.enter_context
        phone = {"viewport": {"width": 390, "height": 844}}
        mine = account(site, "village.own", "village_admin", ids[village["name"]])
        theirs = account(site, "village.other", "village_admin", ids[other["name"]])
        watching = account(site, "operator", "operator")
        operator = enter(person(browser, site, "operator", watching))
        stranger = enter(person(browser, site, "village.other", theirs))
        own = enter(person(browser, site, "village.own", mine))
        chief = enter(person(browser, site, "admin", PASSWORD))
        operator.page.evaluate("() => { window.__opened = true }")

        import_id = imported(own, sheet(village, names), len(names))
        assert [one["name"] for one in site.get("/api/cameras")] == names
        assert {one["state"] for one in site.get("/api/cameras")} == {"waiting"}
        assert {one["place_class"] for one in site.get("/api/cameras")} == {"key_road"}

        approved(chief, site, ids[village["name"]], names)
        tree = operator.page.locator("aside.tree")
        until(
            lambda: all(
                name in tree.inner_text().replace("\n", "") for name in names
            ),  # long names break in the middle
            what=lambda: f"the operator's tree shows them by itself: {tree.inner_text()}",
        )
        assert operator.page.evaluate("() => window.__opened"), "the operator's page was not loaded anew"

        unseen(stranger, site, import_id, names)
        small = enter(person(browser, site, "village.own", mine, **phone))
        small.page.goto(f"{site.url}/imports/{import_id}")
        small.page.locator(".card").first.wait_for()
        small.page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


def chosen(page: Page) -> list[str]:
    """What each column of the sheet is taken for."""
    return [select.input_value() for select in page.locator("[data-column]").all()]


def imported(own: Person, content: bytes, rows: int) -> int:
    """The village admin's part: upload, match, mend the one bad row in place, import. Answers the import's id."""
    page = own.page
    page.goto(page.url.partition("/wall")[0] + "/imports")
    page.set_input_files("input[name=sheet]", {"name": "点位汇总表.xlsx", "mimeType": XLSX, "buffer": content})
    page.wait_for_url("**/imports/*")
    import_id = int(page.url.partition("/imports/")[2].partition("?")[0])
    page.locator("[data-column]").first.wait_for()
    wanted = ["", "name", "host", "port", "channel", "username", "password", "place_class", "ledger.address"]
    until(lambda: chosen(page) == wanted, what=lambda: f"what the columns are taken for: {chosen(page)}")
    expect(page.locator(".mapping .foot")).to_contain_text("序号")  # what is left out is said
    page.click("[data-next]")

    bad = page.locator("[data-verdict=bad]")
    expect(bad).to_have_count(1)
    expect(page.locator("[data-filter=bad]")).to_contain_text("有问题 1")
    cell = bad.locator("[aria-invalid=true]").first
    assert "host" in (cell.get_attribute("data-cell") or "")
    problem = bad.locator(".problem").inner_text()
    assert "地址" in problem, problem
    told = own.api.get(f"/api/imports/{import_id}/rows").json()["rows"]
    assert all(row["has_password"] and "password" not in row["values"] for row in told)

    whole = next(row["values"]["host"] for row in told if row["verdict"] == "good")
    number = bad.get_attribute("data-row")
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type(whole)
    page.keyboard.press("Enter")
    page.locator(f'[data-row="{number}"][data-verdict=good]').wait_for()
    run = page.locator("[data-run]")
    until(lambda: f"{rows} 行" in run.inner_text(), what=lambda: f"all can go: {run.inner_text()}")
    run.click()
    done = page.locator("[data-filter=done]")
    done.wait_for()
    until(
        lambda: str(rows) in done.inner_text() and page.locator(".outcome").count() == 1,
        what=lambda: f"all are in: {page.locator('.check').inner_text()}",
    )
    return import_id


def approved(chief: Person, site: Site, village_id: int, names: list[str]) -> None:
    """The township's part: what waits in the inbox is looked at and let in."""
    page = chief.page
    page.goto(f"{site.url}/inbox?village={village_id}")
    cards = page.locator("article.waiting")
    expect(cards).to_have_count(len(names))
    assert [card.get_attribute("aria-label") for card in cards.all()] == names
    for card in cards.all():
        card.locator("input[type=checkbox]").check()
    page.get_by_role("button", name=f"审核通过 {len(names)} 个").click()
    until(lambda: cards.count() == 0, what="nothing waits any more")
    assert {one["state"] for one in site.get("/api/cameras")} == {"approved"}


def unseen(stranger: Person, site: Site, import_id: int, names: list[str]) -> None:
    """The admin of another village meets none of it: by API, export, event, page or search."""
    api, page = stranger.api, stranger.page
    devices = [one["id"] for one in site.get("/api/devices")]
    cameras = [one["id"] for one in site.get("/api/cameras")]
    for path in ("/api/cameras", "/api/devices", "/api/imports", "/api/jobs"):
        assert api.get(path).json() == [], path
    hidden = [f"/api/imports/{import_id}{rest}" for rest in ("", "/rows", "/failed.xlsx")]
    hidden += [f"/api/cameras/{cameras[0]}/picture", f"/api/cameras/{cameras[0]}/observations"]
    for path in hidden:
        assert api.get(path).status_code == 404, path
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", f"/api/imports/{import_id}/rows/5", {"values": {"name": "x"}}),
        ("POST", f"/api/imports/{import_id}/run", {"only": "failed"}),
        ("DELETE", f"/api/imports/{import_id}", None),
        ("PATCH", f"/api/cameras/{cameras[0]}", {"name": "x"}),
        ("DELETE", f"/api/devices/{devices[0]}", None),
    ]
    for method, path, body in changes:
        assert api.request(method, path, json=body).status_code in (403, 404), path
    exported = openpyxl.load_workbook(io.BytesIO(api.get("/api/imports/list.xlsx").content), read_only=True)
    cells = {str(cell) for one in exported for row in one.iter_rows(values_only=True) for cell in row if cell}
    assert not cells & set(names)

    messages = [json.loads(text) for text in stranger.heard]
    assert any(one["type"] == "hello" for one in messages), "its page was listening"
    assert not [one for one in messages if one.get("topic") in ("camera", "device", "job")]
    assert not [name for name in names if any(name in json.dumps(one, ensure_ascii=False) for one in messages)]

    page.goto(f"{site.url}/imports/{import_id}")
    page.get_by_text("没有这次导入").wait_for()
    page.keyboard.press("Control+K")
    page.keyboard.type(names[0])
    page.locator("[role=listbox], [role=dialog]").first.wait_for()
    assert page.locator("[role=option]").count() == 0
