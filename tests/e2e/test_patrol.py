"""The journey of a patrol, from falling due until it is signed; its hand-over between two browsers; what does not
count as seen; and a killed hub."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.changes import black_too_soon, changes, watch_changes
from tests.e2e.site import PASSWORD, PATIENCE, Site, running_site, until
from tests.e2e.wall import note_messages, noted_messages, tiles

pytestmark = pytest.mark.browser

DWELL = 3600
"""Seconds of every stop: none is over by itself; the operator leads on."""
LEAST = 2
MOST_LEAST = 60
"""The most that a tour may ask for: no stop is looked at for so long by passing on."""


@dataclass(frozen=True)
class Places:
    """The cameras of the site by what they are for, and the simulator's name of each."""

    well: list[int]
    dome: int
    second_dome: int
    dead: list[int]
    struck: int  # it fails during the patrol
    keys: dict[int, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three villages. Devices are asked every two seconds; pictures are looked at only by the page."""
    settings: dict[str, Any] = {"HEALTH__ROUND_SECONDS": "2", "HEALTH__PICTURE_SECONDS": "3600"}
    with running_site(tmp_path_factory.mktemp("patrol"), villages=3, cameras=18, **settings) as site:
        site.register()
        for username, name in (("wang", "王芳"), ("li", "李强")):
            site.post(
                "/api/users",
                {
                    "username": username,
                    "display_name": name,
                    "role": "operator",
                    "password": PASSWORD,
                    "villages": None,
                },
            )
        yield site


@pytest.fixture(scope="module")
def places(site: Site) -> Places:
    """Which camera is which; two are dead, and known to be."""
    cameras = site.cameras()
    devices = {device["id"]: device for device in site.get("/api/devices")}
    simulated = {device["host"]: device for village in site.villages for device in village["devices"]}
    keys = {}
    for camera in cameras:
        device = simulated[devices[camera["device_id"]]["host"]]
        number = camera["number"] or 1
        alone = len(device["channels"]) == 1
        keys[camera["id"]] = device["key"] if alone else device["channels"][number - 1]["key"]
    single = [c for c in cameras if len(devices[c["device_id"]]["cameras"]) == 1 and not c["ptz"]]
    dead, struck = [camera["id"] for camera in single[:2]], single[2]["id"]
    for camera in dead:
        site.fault(keys[camera], "dead")
    until(
        lambda: (
            all(site.get(f"/api/cameras/{camera}")["health"] == "fault" for camera in dead)
            and {camera for alarm in site.get("/api/alarms", open=True) for camera in alarm["members"]} >= set(dead)
        ),
        what="the hub knows which cameras are dead, and will not raise an alarm of it during a patrol",
    )
    dome, second_dome = [camera["id"] for camera in cameras if camera["ptz"]][:2]
    well = [c["id"] for c in cameras if c["id"] not in (*dead, struck, dome, second_dome)]
    return Places(well, dome, second_dome, dead, struck, keys)


@pytest.fixture(scope="module")
def draft(site: Site, places: Places) -> dict[str, Any]:
    """Twelve stops: a scene of four with two domes at their presets, one of these at another one, two dead cameras, a
    key stop."""
    a, b, c, _, _, f, g, h, i, j, *_ = places.well

    def preset(camera: int, name: str) -> dict[str, Any]:
        site.get(f"/api/cameras/{camera}/ptz")
        token = site.post(f"/api/cameras/{camera}/ptz/presets", {"name": name})["token"]
        return {"camera_id": camera, "token": token, "name": name}

    bridge, crossing = preset(places.dome, "桥面"), preset(places.dome, "路口")
    square = preset(places.second_dome, "广场")
    cameras = [b, c, places.dome, places.second_dome]
    scene = site.post("/api/scenes", {"name": "四个路口", "layout": "4", "cameras": cameras})
    stops: list[dict[str, Any]] = [
        {"camera_id": a, "note": "看桥栏杆"},
        {"scene_id": scene["id"], "presets": [crossing, square]},
        {"camera_id": places.dome, "presets": [bridge]},
        {"camera_id": places.dead[0]},
        {"camera_id": f, "key": True},
        {"camera_id": g},
        {"camera_id": h},
        {"camera_id": places.dead[1]},
        {"camera_id": i},
        {"camera_id": j},
        {"camera_id": a},
        {"camera_id": f},
    ]
    return {
        **{"name": "重点部位", "confirm": "screen", "least_s": LEAST},
        "stops": [{**stop, "dwell_s": DWELL} for stop in stops],
    }


@pytest.fixture(scope="module")
def tour(site: Site, draft: dict[str, Any]) -> dict[str, Any]:
    """The tour that major alarms interrupt."""
    made: dict[str, Any] = site.post("/api/tours", {**draft, "interrupt": "major"})
    return made


def enter(page: Page, site: Site, username: str) -> None:
    """Sign in by the form."""
    page.goto(f"{site.url}/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/wall**")


def at_stop(page: Page, site: Site, run: int, position: int, total: int = 12) -> None:
    """Wait until that stop of so many is on, for the hub and on the page."""
    until(
        lambda: site.get(f"/api/runs/{run}")["position"] == position,
        what=lambda: f"stop {position} is on: {site.get(f'/api/runs/{run}')}; {said(page)}",
    )
    page.locator("section.run", has_text=f"第 {position + 1} / {total} 站").wait_for()


def at_presets(site: Site, run: int, wanted: dict[int, str]) -> None:
    """Wait until each of these cameras has come to the preset of that name."""
    until(
        lambda: (
            {(one["camera_id"], one["name"], one["state"]) for one in site.get(f"/api/runs/{run}")["presets"]}
            == {(camera, name, "reached") for camera, name in wanted.items()}
        ),
        what=lambda: f"cameras at their presets: {site.get(f'/api/runs/{run}')['presets']}",
    )


def said(page: Page) -> str:
    """What the page says of the patrol."""
    return " | ".join(page.locator("section.run").all_inner_texts()).replace("\n", " ")


def confirm(page: Page) -> None:
    """Look for long enough, then one key: this screen is normal."""
    page.locator("[data-run=normal].ready").wait_for()
    page.keyboard.press("Enter")


def toggle(page: Page) -> None:
    """The key that lets the patrol wait and go on, once the page has the answer to the act before."""
    page.locator("section.run button.main:enabled").wait_for()
    page.keyboard.press(" ")


def onward(page: Page) -> None:
    """The key for the next stop, once the page has the answer to the act before: until then it takes none."""
    page.locator('section.run button[aria-label="下一站（→）"]:enabled').wait_for()
    page.keyboard.press("ArrowRight")


def onward_to(page: Page, position: int) -> None:
    """The same until that stop is on: a key meant for a state that has just passed is not taken."""
    there = page.locator("section.run", has_text=f"第 {position + 1} / 12 站")
    for _ in range(5):
        onward(page)
        page.locator('section.run button[aria-label="下一站（→）"]:enabled').wait_for()
        if there.count():
            return
    raise AssertionError(f"stop {position} is not on: {said(page)}")


def results(site: Site, run: int) -> dict[tuple[int, int], dict[str, Any]]:
    """The results of a patrol by stop and camera."""
    return {(one["position"], one["camera"]["id"]): one for one in site.get(f"/api/runs/{run}/results")}


def due_now(site: Site, tour: dict[str, Any]) -> dict[str, Any]:
    """A plan whose patrol falls due with one of the next minutes, and its occurrence once it is due."""
    plan, at = until(lambda: planned(site, tour), what="a plan is made before its time")
    span = {"from": at.isoformat(), "to": (at + timedelta(minutes=1)).isoformat()}
    return until(
        lambda: next(
            (
                one
                for one in site.get("/api/occurrences", **span)["occurrences"]
                if one["plan_id"] == plan and one["state"] == "due" and one["id"] is not None
            ),
            None,
        ),
        what=lambda: f"the patrol falls due: {site.get('/api/occurrences', **span)}",
    )


def planned(site: Site, tour: dict[str, Any]) -> tuple[int, datetime] | None:
    """A plan for the next minute, unless that has all but begun, and the time. None if the minute began before the plan
    was made: a plan makes no patrol of times that have passed."""
    at = (hub_time(site) + timedelta(seconds=65)).replace(second=0, microsecond=0)
    rule = {"times": [at.strftime("%H:%M")]}
    plan: int = site.post("/api/plans", {"name": "白天巡查", "tour_id": tour["id"], "rule": rule})["id"]
    if hub_time(site) < at:
        return plan, at
    assert site.api.delete(f"/api/plans/{plan}").status_code == 200
    return None


def hub_time(site: Site) -> datetime:
    """The hub's present time, on the site's clock."""
    now = datetime.fromisoformat(site.get("/api/system")["now"])
    return now.astimezone(ZoneInfo(site.get("/api/session")["time_zone"]))


def test_a_patrol_falls_due_is_run_with_proof_and_signed(
    record_property: Callable[[str, Any], None],
    page: Page,
    site: Site,
    places: Places,
    tour: dict[str, Any],
) -> None:
    enter(page, site, "wang")
    occurrence = due_now(site, tour)
    page.locator(f'[data-prompt="{occurrence["id"]}"]').get_by_role("button", name="开始巡查").click()
    page.wait_for_url("**/wall?run=*")
    run = int(page.url.rpartition("run=")[2])
    at_stop(page, site, run, 0)
    watch_changes(page)

    confirm(page)
    at_stop(page, site, run, 1)
    at_presets(site, run, {places.dome: "路口", places.second_dome: "广场"})
    confirm(page)  # the scene
    at_stop(page, site, run, 2)
    at_presets(site, run, {places.dome: "桥面"})
    confirm(page)  # the preset
    at_stop(page, site, run, 4)  # stop 3 is dead
    confirm(page)  # the key stop
    at_stop(page, site, run, 5)

    site.fault(places.keys[places.struck], "dead")
    page.locator("[data-run=interrupt]").wait_for()
    page.locator("[data-run=back]:enabled").wait_for()
    until(
        lambda: tiles(page)[0]["camera"] == places.struck,
        what=lambda: f"the alarm's camera: {tiles(page)[:2]}",
    )
    page.keyboard.press(" ")
    page.locator("[data-run=interrupt]").wait_for(state="detached")
    at_stop(page, site, run, 5)
    confirm(page)

    at_stop(page, site, run, 6)
    page.locator("[data-run=normal].ready").wait_for()
    page.keyboard.press("f")
    page.locator("[data-report=finding] fieldset").wait_for()
    page.keyboard.press("2")
    page.locator("[data-report=finding] textarea").fill("路面塌陷，约一米")
    site.fault(places.keys[places.well[8]], "black")  # the next stop's camera
    page.keyboard.press("Control+Enter")

    at_stop(page, site, run, 8)  # stop 7 is dead
    page.locator("[data-seen=looking] .why", has_text="画面全黑").wait_for()
    onward(page)

    at_stop(page, site, run, 9)
    page.locator("[data-run=normal].ready").wait_for()
    page.keyboard.press("f")
    page.locator("[data-report=finding] fieldset").wait_for()
    page.set_input_files(
        "input[name=photo]", {"name": "清单.jpg", "mimeType": "image/jpeg", "buffer": b"%PDF-1.7 nothing to see"}
    )
    expect(page.locator("[data-report=finding] .problem")).to_contain_text("不是图片")
    page.set_input_files(
        "input[name=photo]", {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": page.screenshot(type="jpeg")}
    )
    page.locator("[data-report=finding] .photo img").wait_for()
    page.locator("[data-report=finding] .choice").nth(6).click()
    page.locator("[data-report=finding] textarea").fill("标志牌倒伏")
    page.keyboard.press("Control+Enter")

    at_stop(page, site, run, 10)
    confirm(page)
    at_stop(page, site, run, 11)
    onward(page)  # passed over

    page.locator("[data-run=closing]").wait_for()
    expect(page.locator("[data-run=closing]")).to_contain_text("还有 2 路待确认")
    site.fault(places.keys[places.well[8]], "black", on=False)
    closed_at = page.evaluate("() => performance.now()")
    page.locator("[data-run=show-next]").click()
    at_stop(page, site, run, 8)
    confirm(page)
    at_stop(page, site, run, 11)
    confirm(page)
    expect(page.locator("[data-run=closing]")).to_contain_text("可以提交")
    until(  # what has not come by the time of submitting is not taken any more
        lambda: all(one["picture_url"] or one["picture_why"] for one in results(site, run).values() if one["seen"]),
        what=lambda: f"the pictures of what was seen are kept: {results(site, run)}",
    )
    page.locator("[data-run=closing] textarea").fill("全线正常，两处问题已记录")
    page.locator("[data-run=submit]").click()
    page.locator("[data-run=ended]", has_text="巡查已提交").wait_for()

    found = results(site, run)
    assert {one["result"] for place, one in found.items() if place[1] in places.dead} == {"excused"}
    assert all(one["cause"] and one["reference"] for place, one in found.items() if place[1] in places.dead)
    looked = [one for place, one in found.items() if place[1] not in places.dead]
    assert all(one["seen"] and one["seen_s"] >= LEAST and one["picture_url"] for one in looked), [
        (one["position"], one["camera"], one["seen_s"], one["picture_why"]) for one in looked if not one["picture_url"]
    ]
    assert sorted(place[0] for place, one in found.items() if one["result"] == "abnormal") == [6, 9]
    kept = {
        (step["position"], one["id"]): (one["preset"], one["preset_state"])
        for step in site.get(f"/api/runs/{run}/steps")["steps"]
        for one in step["cameras"]
        if one["preset"] is not None
    }
    assert kept == {
        (1, places.dome): ("路口", "reached"),
        (1, places.second_dome): ("广场", "reached"),
        (2, places.dome): ("桥面", "reached"),
    }
    findings = site.get("/api/findings", run_id=run)["findings"]
    assert [(one["words"], one["photo_url"] is not None) for one in findings] == [
        ("标志牌倒伏", True),
        ("路面塌陷，约一米", False),
    ]
    assert all(site.api.get(one["picture_url"]).content[:2] == b"\xff\xd8" for one in [*findings, looked[0]])
    place = f"/api/occurrences/{occurrence['id']}"
    until(lambda: site.get(place)["state"] == "done", what=lambda: f"what was due is done: {site.get(place)}")
    assert site.get(place)["run_id"] == run

    went = changes(page)
    cost = page.evaluate("() => window.__seen")
    record_property("first_own_frame_ms", [round(one.gap_ms) for one in went if one.gap_ms is not None])
    record_property("black_ms", [round(one.black_ms) for one in went])
    record_property("shown_meanwhile", [one.layers for one in went])
    # While a patrol is being closed the wall is empty: what is shown once more comes onto it from nothing.
    again = [one for one in changes(page) if one.at > closed_at]
    record_property("black_while_closing_ms", [round(one.black_ms) for one in again])
    record_property("shown_while_closing", [one.layers for one in again])
    assert [one.camera for one in again] == [places.well[8], places.well[5]]
    left = [one for one in again if one.before == 0 and {"kept", "stills"} & set(one.layers)]
    assert not left, "what comes from nothing shows nothing of before"
    record_property("look_ms", round(cost["ms"] / max(1, cost["taken"]), 2))
    # How long a tile was black depends on the machine, and is a figure; that what was seen before is held does not.
    assert not black_too_soon([one for one in went if one.camera != places.well[8]]), "that one's own picture was black"

    page.context.clear_cookies()
    enter(page, site, "admin")
    page.goto(f"{site.url}/runs/{run}")
    page.get_by_placeholder("签审意见（退回时必填）").fill("同意，塌陷处转交村里")
    page.get_by_role("button", name="同意", exact=True).click()
    page.locator("dl", has_text="同意 · ").wait_for()
    signed = site.get(f"/api/runs/{run}/record")
    assert signed["seal"] is not None
    assert [(one["kind"], one["words"]) for one in signed["reviews"]] == [("approved", "同意，塌陷处转交村里")]
    verified = subprocess.run(
        [sys.executable, "-m", "camera_hub", "verify-audit"],
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_patrol_is_handed_over_in_mid_patrol_and_goes_on_in_another_browser(
    page: Page, other_page: Page, site: Site, places: Places
) -> None:
    cameras = [places.well[n] for n in (0, 6, 7, 9)]
    stops = [{"camera_id": camera, "dwell_s": DWELL} for camera in cameras]
    tour = site.post("/api/tours", {"name": "夜间入口", "confirm": "screen", "least_s": LEAST, "stops": stops})
    enter(page, site, "li")
    run = started(page, tour["id"])
    page.goto(f"{site.url}/wall?run={run}")
    at_stop(page, site, run, 0, total=4)
    page.get_by_role("button", name="+30 s").click()
    page.locator("section.run", has_text="已延长 30 秒").wait_for()
    confirm(page)  # the key is the patrol's again, not the button's that was clicked
    at_stop(page, site, run, 1, total=4)
    for _ in range(2):
        page.locator("[data-run=list]").click()
    for paused in (1, 0):
        toggle(page)
        expect(page.locator("section.run .badge.paused")).to_have_count(paused)
    confirm(page)
    at_stop(page, site, run, 2, total=4)
    deaf = page.context.new_page()  # a second window of the one who hands it over, which does not hear of it
    deaf.add_init_script(DEAF)
    deaf.goto(f"{site.url}/wall?run={run}")
    at_stop(deaf, site, run, 2, total=4)
    deaf.locator("[data-run=normal].ready").wait_for()
    enter(other_page, site, "wang")
    other_page.goto(f"{site.url}/runs")
    expect(other_page.locator("[data-own]")).to_have_count(0)

    deaf.evaluate("() => { window.__deaf = true }")
    page.locator("[data-run=more]").click()
    page.get_by_role("menuitem", name="交接…").click()
    page.get_by_label("交给").select_option(label="王芳")
    page.get_by_label("交接说明（可不填）").fill("桥头有施工，请多看一会")
    page.get_by_role("dialog").get_by_role("button", name="交接", exact=True).click()
    expect(page.locator("[data-run=watching]")).to_contain_text("交接给 王芳")
    expect(page.locator("[data-run=watching]")).to_contain_text("对方尚未打开")

    note_messages(deaf)
    deaf.keyboard.press("Enter")
    until(
        lambda: any("当前由“王芳”执行本次巡查" in one for one in noted_messages(deaf)),
        what=lambda: f"it is told who has the patrol: {noted_messages(deaf)}",
    )
    deaf.locator("[data-run=watching]", has_text="交接给 王芳").wait_for()
    deaf.close()
    before = results(site, run)
    assert [before[n, camera]["result"] for n, camera in enumerate(cameras)] == ["normal", "normal", "open", "open"]

    card = other_page.locator("[data-own=handed]")
    for words in ("李强", "夜间入口", "第 3 / 4 站", "还有 2 路待确认", "桥头有施工，请多看一会"):
        expect(card).to_contain_text(words)
    other_page.reload()
    card.get_by_role("button", name="打开巡查").click()
    at_stop(other_page, site, run, 2, total=4)
    expect(card).to_have_count(0)
    expect(other_page.locator("[data-run=handed]")).to_contain_text("桥头有施工，请多看一会")
    page.locator("[data-run=watching]", has_text="已打开").wait_for()
    confirm(other_page)
    at_stop(other_page, site, run, 3, total=4)
    confirm(other_page)
    other_page.locator("[data-run=closing]", has_text="可以提交").wait_for()
    other_page.locator("[data-run=submit]").click()
    for one in (other_page, page):
        one.locator("[data-run=ended]", has_text="巡查已提交").wait_for()

    found = results(site, run)
    names = [(found[n, camera]["result"], found[n, camera]["confirmed_name"]) for n, camera in enumerate(cameras)]
    assert names == [("normal", "李强")] * 2 + [("normal", "王芳")] * 2
    kinds = [one["kind"] for one in site.get(f"/api/runs/{run}/events")]
    assert [kind for kind in kinds if kind != "next"] == [
        *("started", "extended", "paused", "resumed", "handed_over", "received", "closing", "submitted")
    ]
    other_page.goto(f"{site.url}/runs/{run}")
    other_page.locator("dd", has_text=re.compile(r"李强 → 王芳（\d\d:\d\d:\d\d 第 3 站起）")).wait_for()


DEAF = """
const Native = window.WebSocket
window.WebSocket = class extends Native {
    set onmessage(heard) { super.onmessage = (event) => { if (!window.__deaf) heard(event) } }
}
"""
"""While `__deaf`, the page sends and asks as ever, and hears nothing of what changes."""


def started(page: Page, tour: int) -> int:
    """A patrol that the person at that page starts."""
    run: int = page.evaluate(
        """async (tour_id) => {
            const headers = { 'x-camera-hub': '1', 'content-type': 'application/json' }
            const answer = await fetch('/api/runs', { method: 'POST', headers, body: JSON.stringify({ tour_id }) })
            return (await answer.json()).id
        }""",
        tour,
    )
    return run


def test_what_is_not_looking_is_not_seen_and_what_is_confirmed_outlives_the_hub(
    page: Page, site: Site, places: Places, draft: dict[str, Any]
) -> None:
    enter(page, site, "admin")
    tour = site.post("/api/tours", {**draft, "name": "重点部位（不打断）"})  # the frozen camera's own alarm is one
    _, b, c, *_ = places.well
    site.fault(places.keys[b], "frozen")  # its picture jumps once more before it stands: long before it is looked at
    site.fault(places.keys[c], "black")
    pass_over(page, site, {**draft, "name": "重点部位（一掠而过）", "least_s": MOST_LEAST})

    run = site.post("/api/runs", {"tour_id": tour["id"]})["id"]
    page.goto(f"{site.url}/wall?run={run}")
    at_stop(page, site, run, 0)
    onward_to(page, 1)
    at_stop(page, site, run, 1)
    for words in ("画面不动", "画面全黑"):
        page.locator("[data-seen=looking] .why", has_text=words).wait_for()
    expect(page.locator("[data-seen=seen]")).to_have_count(2)
    page.evaluate(
        """() => {
            const over = Object.assign(document.createElement('div'), { id: 'over' })
            over.style = 'position: fixed; inset: 0; z-index: 9999'
            document.body.append(over)
        }"""
    )
    onward(page)
    until(
        lambda: [results(site, run)[1, camera]["why"] for camera in (b, c)] == ["frozen", "black"],
        what=lambda: f"the record says why: {[results(site, run)[1, camera] for camera in (b, c)]}",
    )

    at_stop(page, site, run, 2)
    page.locator("[data-seen=looking] .why", has_text="画面被遮挡").wait_for()
    page.evaluate("() => document.getElementById('over').remove()")
    # Headless Chromium hides no page: this is what it tells one whose window is minimised.
    page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
            document.dispatchEvent(new Event('visibilitychange'))
        }"""
    )
    onward(page)
    until(
        lambda: results(site, run)[2, places.dome]["why"] == "page_covered",
        what=lambda: f"covered: {results(site, run)[2, places.dome]}",
    )

    at_stop(page, site, run, 4)
    page.locator("[data-seen=looking] .why", has_text="页面在后台").wait_for()
    onward(page)
    until(lambda: key_stop(site, run)["why"] == "page_hidden", what=lambda: f"hidden: {key_stop(site, run)}")
    page.evaluate("() => delete document.hidden")

    at_stop(page, site, run, 5)
    confirm(page)
    at_stop(page, site, run, 6)
    until(
        lambda: all(one["picture_url"] for place, one in results(site, run).items() if one["seen"] and place[0] != 6),
        what=lambda: f"the pictures of what was seen are kept: {results(site, run)}",
    )
    before = results(site, run)
    site.kill_hub()
    site.start_hub()
    site.sign_in()
    after = results(site, run)
    for place, result in after.items():
        if place[0] != 6:
            assert result == before[place], "nothing that was confirmed is lost"
        else:  # the page has been looking at it all the time, and says so as soon as the hub is back
            assert result["seen_s"] >= before[place]["seen_s"]
            assert (result["result"], result["confirmed_at"]) == ("open", None)
    assert after.keys() == before.keys()
    assert site.get(f"/api/runs/{run}")["position"] == 6
    page.locator("[data-run=normal].ready").wait_for()
    page.keyboard.press("Enter")
    at_stop(page, site, run, 8)


def pass_over(page: Page, site: Site, draft: dict[str, Any]) -> None:
    """Through a whole patrol by the arrow key: no stop of it counts as seen. It is given up afterwards."""
    run = site.post("/api/runs", {"tour_id": site.post("/api/tours", draft)["id"]})["id"]
    page.goto(f"{site.url}/wall?run={run}")
    at_stop(page, site, run, 0)
    for position in (1, 2, 4, 5, 6, 8, 9, 10, 11):
        onward_to(page, position)
    onward(page)
    page.locator("[data-run=closing]").wait_for()
    found = results(site, run)
    passed = [step for step in site.get(f"/api/runs/{run}/steps")["steps"] if step["outcome"] == "shown"]
    shortly = [step for step in passed if step["shown_s"] < draft["least_s"]]
    assert shortly, "a stop was passed over in less than a minute"
    for step in shortly:
        for camera in step["cameras"]:
            result = found[step["position"], camera["id"]]
            assert not result["seen"], step
            assert result["why"] in ("passed_over", "no_picture", "no_page", "black", "frozen"), step
    revision = site.get(f"/api/runs/{run}")["revision"]
    site.post(f"/api/runs/{run}/stop", {"revision": revision, "position": None, "reason": "operator"})
    page.locator("[data-run=ended]").wait_for()


def key_stop(site: Site, run: int) -> dict[str, Any]:
    """The result of the key stop's camera."""
    return next(one for place, one in results(site, run).items() if place[0] == 4)
