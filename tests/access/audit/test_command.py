"""`camera-hub verify-audit` itself: exit codes and what it says, of a sound hub and of each kind of tampering."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from camera_hub.access.audit.anchor import FILE_NAME
from camera_hub.cli_parts import PROGRESS_SECONDS, ProgressLines
from camera_hub.command_line import app
from camera_hub.patrol.proof.parts import FOLDER
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.patrol.records.site import SealedSite

pytestmark = pytest.mark.one_database
OF = "of 2026-11-23 16:00 “重点路段” by 张三"
"""How each of the patrols is named, after its number."""
SIGNED = "the signature (Approved, li, 2026-11-23 16:00)"
LINKS = 4
"""Of the sound hub: two submitted patrols, one that was given up, one signature."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a hub of which nothing was changed."""
    folder = tmp_path_factory.mktemp("sound")

    async def build() -> None:
        async with Database(f"sqlite+aiosqlite:///{folder / 'camera_hub.sqlite3'}") as database:
            site = SealedSite(database, ManualClock(), folder)
            await site.build()
            async with site.chain() as chain:
                first, *_ = [await site.patrol(chain, end=end) for end in ("submitted", "stopped", "submitted")]
                await site.reviews(chain).sign(site.leader, first, "approved", "", 0)
            await database.checkpoint()

    asyncio.run(build())
    return folder


class CommandLine:
    """A hub's data folder, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "hub.toml"
        self.config.write_text(f'[server]\ndata_dir = "{folder}"\n')

    def sql(self, *statements: str) -> None:
        with sqlite3.connect(self.folder / "camera_hub.sqlite3") as raw:
            for statement in statements:
                raw.execute(statement)
        raw.close()

    def verify(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["verify-audit", "--config", str(self.config), *options])


@pytest.fixture
def hub(sound: Path, tmp_path: Path) -> CommandLine:
    folder = tmp_path / "data"
    shutil.copytree(sound, folder)
    return CommandLine(folder)


def test_a_sound_hub(hub: CommandLine) -> None:
    told = hub.verify()
    assert (told.exit_code, told.stderr) == (0, "")
    first, last = told.stdout.splitlines()
    assert first.startswith(f"{LINKS} links, head ")
    assert first.endswith(f"anchored at {LINKS}")
    assert last == "OK: all is as it was sealed · 封存完好"
    report = parsed(hub.verify("--json"))
    assert (report["links"], report["anchored"], report["faults"], report["exit_code"]) == (LINKS, LINKS, [], 0)
    assert (hub.folder / "vault.key").exists()


def parsed(told: Result) -> dict[str, Any]:
    """The one JSON object of standard output."""
    found: dict[str, Any] = json.loads(told.stdout)
    assert found["exit_code"] == told.exit_code
    return found


def delete_picture(hub: CommandLine) -> None:
    (hub.folder / FOLDER / "1.jpg").unlink()


def replace_picture(hub: CommandLine) -> None:
    (hub.folder / FOLDER / "1.jpg").write_bytes(b"another")


def rewrite_anchor(hub: CommandLine) -> None:
    path = hub.folder / FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sequence": 1}))


def sql(*statements: str) -> Callable[[CommandLine], None]:
    return lambda hub: hub.sql(*statements)


RUN_1 = [
    "DELETE FROM run_step_cameras WHERE step_id IN (SELECT id FROM run_steps WHERE run_id = 1)",
    *(f"DELETE FROM {name} WHERE run_id = 1" for name in ("run_results", "findings", "run_events", "run_steps")),
    "DELETE FROM run_reviews WHERE run_id = 1",
    "DELETE FROM run_pictures WHERE run_id = 1",
    "DELETE FROM runs WHERE id = 1",
]
TAMPERED: dict[str, tuple[Callable[[CommandLine], None], str, str]] = {
    "a result edited": (
        sql("UPDATE run_results SET result = 'normal' WHERE run_id = 1 AND position = 1"),
        "row_changed",
        f"link 1 (patrol 1 {OF}): the result of 东沟村 相机1 at stop 2 was changed after"
        " sealing: was Abnormal, is now Normal",
    ),
    "the words of a confirmation edited": (
        sql("UPDATE run_results SET words = '无' WHERE run_id = 3 AND position = 1"),
        "row_changed",
        f"link 3 (patrol 3 {OF}): the words of the confirmation of 东沟村 相机1 at stop 2"
        ' were changed after sealing: was “积水”, is now “无”',
    ),
    "the itinerary edited": (
        sql("UPDATE runs SET itinerary = json_set(itinerary, '$[2].dwell_s', 3) WHERE id = 3"),
        "row_changed",
        "the itinerary (stop 3, dwell) of this patrol was changed after sealing: was 15, is now 3",
    ),
    "who had confirmed it edited": (
        sql("UPDATE run_results SET confirmed_name = '李四' WHERE run_id = 1 AND position = 0"),
        "row_changed",
        'the name of the confirmer of 东沟村 相机0 at stop 1 was changed after sealing: was “张三”, is now “李四”',
    ),
    "what was given up edited": (
        sql("UPDATE findings SET words = '无' WHERE run_id = 2"),
        "row_changed",
        f"link 2 (patrol 2 {OF}): the words of finding 2 (东沟村 相机1 at stop 2) were"
        ' changed after sealing: was “桥下积水”, is now “无”',
    ),
    "what was given up called submitted": (
        sql("UPDATE runs SET end_reason = 'submitted' WHERE id = 2"),
        "row_changed",
        "the outcome of this patrol was changed after sealing: was Given up, is now Submitted",
    ),
    "a row deleted": (
        sql("DELETE FROM findings WHERE run_id = 1"),
        "row_deleted",
        'finding 1 (东沟村 相机1 at stop 2, 张三, “桥下积水”) was deleted after sealing',
    ),
    "a result deleted": (
        sql("DELETE FROM run_results WHERE run_id = 1 AND position = 1"),
        "row_deleted",
        "the result of 东沟村 相机1 at stop 2 (Abnormal, 积水, 张三, 2026-11-23 16:00:15) was deleted after sealing",
    ),
    "a row inserted": (
        sql(
            "INSERT INTO run_events (id, run_id, at, kind, user_name, detail)"
            " SELECT 99, run_id, at, 'resumed', user_name, detail FROM run_events WHERE id = 1"
        ),
        "row_inserted",
        "event 99 (Resumed, 张三, 2026-11-23 16:00:00) was inserted after sealing",
    ),
    "a record deleted": (
        sql(*RUN_1),
        "record_deleted",
        f"link 1 (patrol 1 {OF}): the record was deleted after sealing",
    ),
    "rubbish in a row": (
        sql("UPDATE runs SET itinerary = '{' WHERE id = 1"),
        "rows_unreadable",
        f"link 1 (patrol 1 {OF}): the itinerary of this patrol cannot be read",
    ),
    "a patrol inserted": (
        sql("DELETE FROM audit_links WHERE sequence = 4", "UPDATE audit_copies SET sequence = 9 WHERE sequence = 4"),
        "review_unsealed",
        f"{SIGNED} on patrol 1 {OF}: no link tells",
    ),
    "a signature edited": (
        sql("UPDATE run_reviews SET user_name = '别人'"), "review_changed",
        f"link 4 ({SIGNED} on patrol 1 {OF}): the name"
        ' of it was changed after sealing: was “li”, is now “别人”',
    ),
    "a signature deleted": (
        sql("DELETE FROM run_reviews"),
        "review_deleted",
        f"link 4 ({SIGNED} on patrol 1 {OF}): it was"
        " deleted after sealing",
    ),
    "a link edited": (
        sql("UPDATE audit_links SET subject = 'run:9' WHERE sequence = 2"), "link_changed", "its time, kind or subject"
    ),
    "a link's digest edited": (
        sql("UPDATE audit_links SET digest = (SELECT digest FROM audit_links WHERE sequence = 1) WHERE sequence = 2"),
        "link_changed",
        "its digest was changed",
    ),
    "rubbish in a link": (sql("UPDATE audit_links SET kind = x'00ff' WHERE sequence = 2"), "link_changed", "link 2"),
    "a keyed seal edited": (
        sql("UPDATE audit_links SET mac = hash WHERE sequence = 2"), "link_forged", "the key does not fit"
    ),
    "a hash edited": (
        sql("UPDATE audit_links SET hash = mac WHERE sequence = 2"), "hash_changed",
        f"link 2 (patrol 2 {OF}): its hash",
    ),
    "links reordered": (
        sql(*(f"UPDATE audit_links SET sequence = {n} WHERE sequence = {m}" for n, m in ((9, 1), (1, 2), (2, 9)))),
        "link_moved",
        f"link 1 (patrol 2 {OF}): it stands in a wrong place: it was sealed as link 2",
    ),
    "a link deleted": (
        sql("DELETE FROM audit_links WHERE sequence = 2"), "link_missing",
        f"link 2 is missing: deleted; by the copies left of them they had sealed: 2 patrol 2 {OF}",
    ),
    "the tail cut": (
        sql("DELETE FROM audit_links WHERE sequence > 2"), "tail_cut",
        f"by the copies left of them they had sealed: 3 patrol 3 {OF}; 4 {SIGNED}",
    ),
    "the tail cut with its copies": (
        sql("DELETE FROM audit_links WHERE sequence > 2", "DELETE FROM audit_copies WHERE sequence > 2"),
        "tail_cut",
        "links 3 to 4 are missing at the end",
    ),
    "the tail cut, and what it had sealed is still there": (
        sql("DELETE FROM audit_links WHERE sequence > 2", "DELETE FROM audit_copies WHERE sequence > 2"),
        "record_unsealed",
        f"patrol 3 {OF} says that it was submitted, and no link tells of it",
    ),
    "a copy edited": (
        sql("UPDATE audit_copies SET content = x'00' WHERE sequence = 2"), "copy_changed", "the sealed copy was changed"
    ),
    "a text for a copy": (
        sql("UPDATE audit_copies SET content = 'rubbish' WHERE sequence = 2"), "copy_changed",
        f"link 2 (patrol 2 {OF}): the sealed copy",
    ),
    "a copy deleted": (
        sql("DELETE FROM audit_copies WHERE sequence = 2"), "copy_missing", "its sealed copy was deleted"
    ),
    "a picture deleted": (delete_picture, "picture_deleted", "the picture of 东沟村 相机0 at stop 1 was deleted"),
    "a picture replaced": (replace_picture, "picture_replaced", "the picture of 东沟村 相机0 at stop 1 was replaced"),
    "the anchor deleted": (lambda hub: (hub.folder / FILE_NAME).unlink(), "anchor_missing", "restore it from the"),
    "the anchor edited": (rewrite_anchor, "anchor_forged", "was not written by this hub"),
    "rubbish for an anchor": (
        lambda hub: void((hub.folder / FILE_NAME).write_bytes(b"\x00")), "anchor_damaged", "does not hold an anchor"
    ),
}  # fmt: skip


def void(_: object) -> None:
    return


@pytest.mark.parametrize("kind", TAMPERED)
def test_each_kind_of_tampering_is_named_and_gives_exit_code_1(hub: CommandLine, kind: str) -> None:
    tamper, reason, words = TAMPERED[kind]
    tamper(hub)
    told = hub.verify()
    assert (told.exit_code, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert any(line.startswith("CHANGED: ") and words in line for line in lines), lines
    assert lines[-1] == "封存内容被改动"
    report = parsed(hub.verify("--json"))
    assert reason in [fault["reason"] for fault in report["faults"]]
    assert any(words in fault["detail"] for fault in report["faults"])


def test_without_the_key_nothing_is_called_changed_and_not_everything_verified(hub: CommandLine) -> None:
    (hub.folder / "vault.key").unlink()
    told = hub.verify()
    assert told.exit_code == 2
    assert told.stdout.splitlines()[1:] == [
        f"NOT VERIFIED: the key of {LINKS + 1} keyed seals is not at hand; restore vault.key",
        "未能全部核验",
    ]
    report = parsed(hub.verify("--json"))
    assert (report["faults"], report["unproved"]) == ([], LINKS + 1)
    assert not (hub.folder / "vault.key").exists()  # a new one would only hide that it is lost
    hub.sql("UPDATE run_results SET result = 'normal' WHERE run_id = 1 AND position = 1")
    assert hub.verify().exit_code == 1  # what differs is told all the same


def unreadable(hub: CommandLine) -> None:
    (hub.folder / "camera_hub.sqlite3").write_bytes(b"no database at all" * 1000)


def torn(hub: CommandLine) -> None:
    """Everything behind the first pages is lost: the links among it."""
    path = hub.folder / "camera_hub.sqlite3"
    with sqlite3.connect(path) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_links'").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xa5" * size
    path.write_bytes(content)


def damage_key(hub: CommandLine) -> None:
    path = hub.folder / "vault.key"
    path.chmod(0o600)
    path.write_bytes(b"\x00" * 7)


FAILING: dict[str, tuple[Callable[[CommandLine], object], str]] = {
    "no database": (lambda hub: (hub.folder / "camera_hub.sqlite3").unlink(), "there is no database at"),
    "no SQLite file": (unreadable, "database"),
    "a damaged database": (torn, "Check the database server and disk"),
    "another schema": (sql("UPDATE alembic_version SET version_num = '0001'"), "the database has schema 0001"),
    "an empty file": (lambda hub: (hub.folder / "camera_hub.sqlite3").write_bytes(b""), "never started"),
    "a damaged key": (damage_key, "vault.key"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_what_cannot_be_read_gives_exit_code_2_and_a_remedy(hub: CommandLine, kind: str) -> None:
    spoil, words = FAILING[kind]
    spoil(hub)
    told = hub.verify()
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.splitlines()[-1].startswith("camera-hub: ")
    assert words in told.stderr
    assert "Traceback" not in told.stderr
    error = parsed(hub.verify("--json"))["error"]
    assert error["reason"]
    assert words in error["detail"]


def test_a_restored_database_is_told_and_then_sound(hub: CommandLine) -> None:
    refused = hub.verify("--restored", "为演练恢复，王")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "nothing to tell" in refused.stderr
    hub.sql("DELETE FROM audit_links WHERE sequence > 3", "DELETE FROM run_reviews")
    assert hub.verify().exit_code == 1
    told = hub.verify("--restored", "为演练恢复，王")
    assert told.exit_code == 0
    assert "note: link 4: " in told.stdout
    assert "为演练恢复，王" in told.stdout
    assert len(parsed(hub.verify("--json"))["notes"]) == 1


def test_long_chains_tell_how_far_they_are() -> None:
    clock, lines = ManualClock(), list[str]()
    progress = ProgressLines(clock, lines.append)
    for seconds, done in ((0.0, 500), (PROGRESS_SECONDS - 1, 200_000), (1.0, 250_000), (1.0, 300_000), (60.0, 999_999)):
        clock.move(seconds)
        progress(done, 1_000_000)
    assert lines == [
        "250,000 of 1,000,000 links verified (25 %)",
        "999,999 of 1,000,000 links verified (99 %)",
    ]
    clock.move(60.0)
    progress(0, 0)
    assert len(lines) == 2
