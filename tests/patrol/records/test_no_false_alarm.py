"""Whatever happens to a hub that nobody tampers with, verifying says that all is as it was sealed."""

import asyncio
import stat
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from camera_hub.access.audit.chain import AuditChain, anchor_anew
from camera_hub.access.audit.verify import AuditVerifier
from camera_hub.access.key_rotation import KeyRotation
from camera_hub.access.vault import Vault
from camera_hub.errors import HubError, Kind
from camera_hub.patrol.records.expiry import RecordExpiry
from camera_hub.patrol.records.listing import RecordList, RecordQuery
from camera_hub.patrol.records.reviews import RecordReviewed
from camera_hub.patrol.records.verify import RecordVerification, patrol_kinds
from camera_hub.store.tables import Finding, Run, RunEvent, RunResult
from tests.patrol.records.site import WORDS, SealedSite


async def intact(site: SealedSite, links: int) -> None:
    report = await site.verify()
    assert (report.lines()[1:-1], report.links, report.exit_code) == ([], links, 0)


async def test_a_database_without_links_with_and_without_an_anchor(site: SealedSite) -> None:
    await intact(site, 0)
    async with site.chain():
        await intact(site, 0)
    assert stat.S_IMODE(site.anchor.path.stat().st_mode) == 0o600


async def test_retention_deletes_records_and_leaves_links_also_when_numbers_come_again(site: SealedSite) -> None:
    expiry_keep = timedelta(days=365)
    async with site.chain() as chain:
        old = await site.patrol(chain)
        await site.reviews(chain).sign(site.leader, old, "approved", "", 0)
        site.clock.move(366 * 86400)
        expiry = RecordExpiry(site.database, site.clock, chain, site.pictures, expiry_keep)
        assert await expiry.expire() == 1
        assert await site.rows("SELECT count(*) FROM runs") == [(0,)]
        assert await site.rows("SELECT count(*) FROM run_step_cameras") == [(0,)]
        assert await site.pictures.read(1) is None
        await intact(site, 3)
        again = await site.patrol(chain)  # on SQLite it has the old one's number
        assert await expiry.expire() == 0
    await intact(site, 4)
    statements = ["DELETE FROM run_step_cameras"]
    statements += [f"DELETE FROM {name}" for name in ("run_steps", "run_results", "findings", "run_events")]
    statements += ["DELETE FROM run_pictures"]
    report = await site.tampered(*statements, f"DELETE FROM runs WHERE id = {again}")
    assert [fault.reason for fault in report.faults] == ["record_deleted"]  # no link of retention covers this one


@pytest.mark.parametrize("ended", ["'2020-01-01 00:00:00.000000'", "5", "x'00'"])
@pytest.mark.one_database
async def test_retention_keeps_what_was_sealed_later_than_it_says_that_it_ended(site: SealedSite, ended: str) -> None:
    """Or somebody could have the hub itself delete a record, with a link that says that it was done by its time."""
    async with site.chain() as chain:
        runs = [await site.patrol(chain) for _ in range(3)]
        await site.sql(f"UPDATE runs SET ended_at = {ended} WHERE id = {runs[0]}")
        expiry = RecordExpiry(site.database, site.clock, chain, site.pictures, timedelta(days=365))
        assert await expiry.expire() == 0
        site.clock.move(366 * 86400)
        assert await expiry.expire() >= 2  # the others too, by their time
    assert "record_deleted" not in [fault.reason for fault in (await site.verify()).faults]


async def test_a_crash_between_commit_and_anchor_leaves_an_anchor_that_lags(site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
    killed = AuditChain(site.database, site.vault, site.clock, site.anchor)
    killed._key = chain._key
    await site.patrol(killed)  # never entered: nobody moves the anchor
    report = await site.verify()
    assert (report.links, report.anchored, report.exit_code) == (2, 1, 0)
    async with site.chain():  # the next start
        assert (await site.verify()).anchored == 2


async def test_a_transaction_that_is_rolled_back_leaves_nothing(site: SealedSite) -> None:
    async with site.chain() as chain:
        with pytest.raises(RuntimeError):
            await _appended_in_vain(site, chain)
        await site.patrol(chain)
    await intact(site, 1)


async def _appended_in_vain(site: SealedSite, chain: AuditChain) -> None:
    async with site.database.write() as session:
        await chain.append(session, "patrol", "run:1", {"a": 1})
        raise RuntimeError


async def test_a_new_vault_key(site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
    rotation = KeyRotation(site.database, Vault.open_or_create(site.folder / "vault.key"), site.clock)
    await rotation.begin()
    for column in rotation.columns:
        await rotation.reseal(column)
    await rotation.finish(settle=0.0)
    await intact(site, 1)
    async with site.chain() as chain:
        await site.patrol(chain)
    await intact(site, 2)


async def test_a_lost_vault_key_is_no_tampering_and_not_verified(site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
    (site.folder / "vault.key").unlink()
    report = await site.verify()
    assert (report.faults, report.exit_code) == ([], 2)
    assert "restore vault.key" in " ".join(report.lines())
    async with site.chain() as chain:  # the hub goes on with a new key
        await site.patrol(chain)
    report = await site.verify()
    assert (report.faults, report.links, report.exit_code) == ([], 2, 2)


async def test_a_restored_backup_is_told_as_what_it_is(site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
        await site.patrol(chain)
    await site.sql(
        "DELETE FROM audit_links WHERE sequence = 2",
        "DELETE FROM audit_copies WHERE sequence = 2",
        "DELETE FROM run_step_cameras WHERE step_id IN (SELECT id FROM run_steps WHERE run_id = 2)",
        *(f"DELETE FROM {name} WHERE run_id = 2" for name in ("run_steps", "run_results", "findings", "run_events")),
        "DELETE FROM run_pictures WHERE run_id = 2",
        "DELETE FROM runs WHERE id = 2",
    )
    assert [fault.reason for fault in (await site.verify()).faults] == ["tail_cut"]
    await anchor_anew(site.database, site.vault, site.clock, site.anchor, "disk failed, 王")
    report = await site.verify()
    assert (report.faults, report.links, report.anchored, report.exit_code) == ([], 2, 2, 0)
    assert "links up to 2" in report.notes[0]
    assert "disk failed, 王" in report.notes[0]


async def test_the_newer_columns_and_users_who_are_deleted_change_no_record(site: SealedSite) -> None:
    async with site.chain() as chain:
        await site.patrol(chain)
    async with site.database.write() as session:
        await session.execute(text("UPDATE runs SET started_by = NULL, operator_id = NULL"))  # the user is deleted
        await session.execute(text("ALTER TABLE run_events ADD COLUMN newer VARCHAR DEFAULT 'x'"))
    await intact(site, 1)
    await site.sql("ALTER TABLE run_events DROP COLUMN newer")


async def test_patrols_that_are_submitted_at_once_give_one_chain(site: SealedSite) -> None:
    async with site.chain() as chain:
        await asyncio.gather(*(site.patrol(chain) for _ in range(6)))
    await intact(site, 6)


async def test_reviews_of_two_people_at_once_and_of_those_who_may_not(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain)
        reviews = site.reviews(chain)
        answers = await asyncio.gather(
            reviews.sign(site.leader, run, "approved", "", 0),
            reviews.sign(site.admin, run, "returned", "看不清", 0),
            return_exceptions=True,
        )
        refused = [one for one in answers if isinstance(one, RecordReviewed)]
        assert len(refused) == 1
        assert len(refused[0].view.reviews) == 1
        other = await site.patrol(chain)
        open_still = await site.patrol(chain, sealed=False)
        returned = await reviews.sign(site.leader, other, "returned", "第二站没有说明", 0)
        assert (returned.may_sign, returned.may_note) == (True, False)
        assert (await reviews.of(site.operator, other)).may_note
        await reviews.note(site.operator, other, "积水已通知村里")
        approved = await reviews.sign(site.leader, other, "approved", "", 2)
        assert [one.kind for one in approved.reviews] == ["returned", "note", "approved"]
        for call, reason in (
            (reviews.sign(site.operator, other, "approved", "", 3), "own_record"),
            (reviews.note(site.leader, other, "x"), "others_record"),
            (reviews.sign(site.admin, other, "approved", "", 3), "signed_already"),
            (reviews.sign(site.admin, other, "returned", " ", 3), "review_words"),
            (reviews.sign(site.leader, open_still, "approved", "", 0), "not_sealed"),
        ):
            with pytest.raises(HubError) as error:
                await call
            assert error.value.reason == reason
    report = await site.verify()
    assert [fault.reason for fault in report.faults] == ["record_unsealed"]  # the one that never was


PARTS = [
    ("started_by", True), ("operator_id", True), ("taken_over", True), ("handed_over to", True), ("handed_over", False),
    ("paused", True), ("jumped", True), ("submitted", True), ("result_changed", True), ("result_changed of", True),
    ("finding_deleted of", True), ("confirmed", True), ("found", True),
]  # fmt: skip
"""What somebody did in a patrol, and whether that is a part in it."""


async def took_part(site: SealedSite, run: int, how: str, user: int) -> None:
    """Have the user done that in the patrol."""
    async with site.database.write() as session:
        if how in ("started_by", "operator_id"):
            await session.execute(update(Run).where(Run.id == run).values({how: user}))
        elif how == "confirmed":
            values = {"confirmed_by": user}
            await session.execute(
                update(RunResult).where(RunResult.run_id == run, RunResult.position == 0).values(values)
            )
        elif how == "found":
            await session.execute(update(Finding).where(Finding.run_id == run).values(user_id=user))
        else:
            kind, _, of = how.partition(" ")
            detail = {"to": {"to": user}, "of": {"before_by": user}, "": {"to": site.operator.user_id}}[of]
            by = site.operator.user_id if of else user
            at = site.clock.now()
            session.add(RunEvent(run_id=run, at=at, kind=kind, position=1, user_id=by, detail=detail))


@pytest.mark.parametrize(("how", "part"), PARTS)
async def test_who_took_part_in_a_patrol_does_not_sign_its_record(site: SealedSite, how: str, part: bool) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain)
        other = await site.patrol(chain)
        await took_part(site, run, how, site.admin.user_id)
        reviews, listing = site.reviews(chain), RecordList(site.database)
        view = await reviews.of(site.admin, run)
        if not part:
            assert (view.may_sign, view.sign_why, view.may_note) == (True, None, False)
            await reviews.sign(site.admin, run, "approved", "", 0)
            return
        assert (view.may_sign, view.sign_why, view.may_note) == (False, "own_record", True)
        with pytest.raises(HubError, match="ask another supervisor") as own:
            await reviews.sign(site.admin, run, "approved", "", 0)
        assert (own.value.kind, own.value.reason) == (Kind.FORBIDDEN, "own_record")
        assert {one.id for one in await listing.listed(site.admin, RecordQuery()) if one.own} == {run}
        assert (await listing.counts(site.admin)).to_sign == 1
        await reviews.sign(site.admin, other, "approved", "", 0)
        await reviews.sign(site.leader, run, "approved", "", 0)


@pytest.mark.one_database
async def test_a_patrol_with_the_number_of_a_deleted_one_is_not_taken_for_sealed(site: SealedSite) -> None:
    async with site.chain() as chain:
        old = await site.patrol(chain)
        site.clock.move(366 * 86400)
        await RecordExpiry(site.database, site.clock, chain, site.pictures, timedelta(days=365)).expire()
        assert await site.patrol(chain, sealed=False) == old
    kinds = patrol_kinds(site.database, site.pictures, WORDS)
    verifier = AuditVerifier(site.database, site.vault, site.anchor, kinds)
    with pytest.raises(HubError, match="no sealed record"):
        await RecordVerification(site.database, verifier, WORDS).check(site.leader, old)
