"""The composition root: the one place where all parts are built and connected.

`parts` enters every long-lived part in order on one exit stack; leaving shuts them down in reverse, waiting for each to
end. `create_app` puts the HTTP side in front of them.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from camera_hub import __version__
from camera_hub.acceptor import ConnectionFigures
from camera_hub.access.accounts import Accounts
from camera_hub.access.grant_times import GrantTimes
from camera_hub.access.key_rotation import KeyRotation
from camera_hub.access.known_browsers import KnownBrowsers
from camera_hub.access.passwords import Passwords
from camera_hub.access.sessions import Sessions
from camera_hub.access.setup import FirstSetup
from camera_hub.access.sign_in import SignIn
from camera_hub.access.stream_tokens import StreamTokens
from camera_hub.access.throttle import Throttle
from camera_hub.access.vault import Vault
from camera_hub.api import (
    alarm_pictures,
    alarms,
    bulk,
    cameras,
    county,
    device_events,
    device_settings,
    devices,
    discovery,
    errors,
    exclusions,
    favourites,
    health,
    imports,
    inbox,
    jobs,
    ledger,
    live,
    logins,
    map,
    matches,
    metrics,
    notices,
    observations,
    pictures,
    ptz,
    recordings,
    references,
    replacements,
    reports,
    round_plans,
    rtsp_out,
    session,
    setup,
    system,
    trip,
    users,
    viewers,
    villages,
    whep,
)
from camera_hub.api import vault as vault_keys
from camera_hub.api.client_address import ClientAddress
from camera_hub.api.cors import WhepOrigins
from camera_hub.api.limits import BodyLimit
from camera_hub.api.live_changes import LiveChanges
from camera_hub.api.live_ptz import PageSteering
from camera_hub.api.routing import check_parts, check_policies
from camera_hub.api.schemas.base import ErrorAnswer
from camera_hub.api.static import SafeHeaders, StaticPages
from camera_hub.cameras.bulk.camera_changes import CameraChanges
from camera_hub.cameras.bulk.key_change import KeyChange
from camera_hub.cameras.bulk.login_asking import DeviceLoginAsker, StoredStreamUrls
from camera_hub.cameras.bulk.login_changes import LoginChanges
from camera_hub.cameras.bulk.subnets import SubnetChanges
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.credentials.profiles import LoginProfiles
from camera_hub.cameras.describing.catalogue_describer import CatalogueDescriber
from camera_hub.cameras.describing.device_describer import DeviceDescriber
from camera_hub.cameras.describing.vendor_describer import VendorDescriber
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.device_events.listening import DeviceEvents
from camera_hub.cameras.device_events.roster import ListeningTargets
from camera_hub.cameras.device_events.store import DeviceEventHistory, device_event_expiry
from camera_hub.cameras.device_settings.applying import SettingsChanges
from camera_hub.cameras.device_settings.clock_checks import ClockLimits
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.listing import RecorderLists
from camera_hub.cameras.device_settings.nightly import NightlyClockChecks
from camera_hub.cameras.device_settings.onvif_way import OnvifSettingsWay
from camera_hub.cameras.device_settings.osd_checks import OsdChecks, OsdNight, OsdStore
from camera_hub.cameras.device_settings.previews import SettingsPreviews
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.vendor_way import VendorSettingsWay
from camera_hub.cameras.device_settings.way import SettingsWay
from camera_hub.cameras.discovery.announcements import Announcements
from camera_hub.cameras.discovery.sweeps import Sweeps
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits
from camera_hub.cameras.http.signed_http import SignedHttp
from camera_hub.cameras.hub_addresses import HubAddresses
from camera_hub.cameras.imports.camera_editor import RowEditor
from camera_hub.cameras.imports.expiry import import_expiry_rules
from camera_hub.cameras.imports.imports import Imports
from camera_hub.cameras.imports.known_reader import KnownReader
from camera_hub.cameras.imports.runs import ImportRuns
from camera_hub.cameras.imports.sheets import ImportSheets
from camera_hub.cameras.intake.inbox import Inbox
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.retries import CandidateRetries
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.ledger.expiry import expiry_rules as ledger_expiry
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.ledger.past import PastFiles
from camera_hub.cameras.ledger.photos import MAX_BYTES as MAX_PHOTO
from camera_hub.cameras.ledger.photos import Photos
from camera_hub.cameras.ledger.unconnected import UnconnectedCameras
from camera_hub.cameras.map.base_picture import MAX_UPLOAD as MAX_BASE
from camera_hub.cameras.map.base_picture import BasePictures
from camera_hub.cameras.map.coverages import Coverages
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.key_places import KeyPlaces
from camera_hub.cameras.map.positions import CameraPositions
from camera_hub.cameras.map.township_map import TownshipMap
from camera_hub.cameras.matches.expiry import MatchPictureExpiry, match_expiry
from camera_hub.cameras.matches.matches import Matches
from camera_hub.cameras.matches.proof import MoveProof
from camera_hub.cameras.matches.taking_over import TakingOver
from camera_hub.cameras.matches.trust import DeviceTrust
from camera_hub.cameras.matches.watch import MoveWatch
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.kept import KeptConversations
from camera_hub.cameras.onvif.pull_points import PullPoints
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.ptz.control import PtzControl
from camera_hub.cameras.ptz.opening import PtzOpener
from camera_hub.cameras.ptz.presets import PtzPresets
from camera_hub.cameras.ptz.store import PtzStore
from camera_hub.cameras.reach import checking
from camera_hub.cameras.recordings.checks import RecordingChecks, RecordingPlan
from camera_hub.cameras.recordings.judging import RecordingLimits
from camera_hub.cameras.recordings.onvif_road import OnvifRecordings
from camera_hub.cameras.recordings.roads import RecordingRoads
from camera_hub.cameras.recordings.store import RecordingStore, recording_expiry
from camera_hub.cameras.recordings.vendor_road import VendorRoad
from camera_hub.cameras.register.proofs import Proofs
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.replacements import Replacements
from camera_hub.cameras.streams.sources import StreamSources
from camera_hub.cameras.streams.stored_urls import seal_plain
from camera_hub.cameras.streams.stream_addresses import StreamAddresses
from camera_hub.cameras.vendors.recognition import VENDORS
from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.health.alarm_pictures.keeper import AlarmPictureKeeper, PictureSources
from camera_hub.health.alarm_pictures.pictures import AlarmPictures
from camera_hub.health.alarm_pictures.recent import RecentPictures
from camera_hub.health.alarms.alarms import Alarms
from camera_hub.health.alarms.handling import AlarmHandling
from camera_hub.health.board import HealthBoard
from camera_hub.health.camera_file import HealthFiles
from camera_hub.health.county.checks import CountyChecks
from camera_hub.health.county.judge import CountyJudge
from camera_hub.health.exclusion_register import ExclusionRegister
from camera_hub.health.expiry_rules import expiry_rules
from camera_hub.health.history import ObservationHistory
from camera_hub.health.notices.announcer import Announcer
from camera_hub.health.notices.channel_test import ChannelTests
from camera_hub.health.notices.channels import NoticeChannels
from camera_hub.health.notices.delivery import NoticeDelivery
from camera_hub.health.notices.personal import PersonalNotices
from camera_hub.health.notices.policy import notice_policy
from camera_hub.health.references.book import ReferenceBook
from camera_hub.health.references.compared_looks import ComparedLooks
from camera_hub.health.references.learning import learning_rules
from camera_hub.health.references.references import References
from camera_hub.health.reports.periods import PeriodRecorder
from camera_hub.health.reports.reports import Reports
from camera_hub.health.rollup.rollup import RollUp
from camera_hub.health.round_plans import RoundPlans
from camera_hub.health.rounds.reachability import DeviceContacts
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.health.trip import TripList
from camera_hub.instance import only_instance
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.media.decoders.looks import Looks
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.engine import HelperCommands, MediaEngine
from camera_hub.media.readings import MediaReadings
from camera_hub.media.rtsp_out.admission import PlayerAdmission
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.ports import RtspPorts
from camera_hub.media.rtsp_out.whep_players import WhepPlayers
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.authorization import WatchAuthorization
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.whep import WhepViewers
from camera_hub.patrol.plans.expiry import occurrence_expiry
from camera_hub.private_files import make_private
from camera_hub.running import keep_running, running
from camera_hub.settings import Settings
from camera_hub.sheets.answer import MAX_FILE
from camera_hub.sheets.reading import sheet_reader
from camera_hub.store.database import Database
from camera_hub.store.lock import only_hub
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.retention import ExpiryRule, Retention
from camera_hub.wiring.patrol import PATROL_ROUTERS, PATROL_UPLOADS, patrol
from camera_hub.wiring.plans import PLAN_ROUTERS, planning
from camera_hub.wiring.records import records
from camera_hub.wiring.screens import SCREEN_ROUTERS, screen_parts

Parts = dict[type, Any]
"""Every part by its type: how routes find them (api.routing.part)."""

MAX_BODY = 1024 * 1024
_ROUTERS = (
    setup.router,
    session.router,
    users.router,
    villages.router,
    cameras.router,
    pictures.router,
    ptz.router,
    observations.router,
    health.router,
    round_plans.router,
    device_events.router,
    favourites.router,
    devices.router,
    device_settings.router,
    recordings.router,
    inbox.router,
    discovery.router,
    matches.router,
    replacements.router,
    jobs.router,
    ledger.router,
    map.router,
    logins.router,
    imports.router,
    bulk.router,
    live.router,
    viewers.router,
    whep.router,
    rtsp_out.router,
    alarms.router,
    alarm_pictures.router,
    references.router,
    exclusions.router,
    county.router,
    trip.router,
    reports.router,
    notices.router,
    *PATROL_ROUTERS,
    *PLAN_ROUTERS,
    *SCREEN_ROUTERS,
    system.router,
    vault_keys.router,
    metrics.router,
)


def every_expiry_rule(settings: Settings) -> list[ExpiryRule]:
    """What ends by its time, in all tables."""
    return [
        *expiry_rules(settings.health),
        *import_expiry_rules(settings.sheets),
        device_event_expiry(settings.device_events),
        *ledger_expiry(settings.ledger),
        match_expiry(),
        recording_expiry(),
        occurrence_expiry(settings.patrol),
    ]


@asynccontextmanager
async def parts(
    settings: Settings, clock: Clock, passwords: Passwords | None = None, spawn: Spawn = spawn_process
) -> AsyncIterator[Parts]:
    """The whole hub without its HTTP side, running; `spawn` starts its child processes. Raises HubError if it cannot
    start.
    """
    async with AsyncExitStack() as stack:
        data_dir = settings.server.data_dir
        stack.enter_context(only_instance(data_dir))
        make_private(data_dir, settings.database_file)
        database = await stack.enter_async_context(Database(settings.database_url))
        await stack.enter_async_context(only_hub(database, clock))
        vault = Vault.open_or_create(data_dir / "vault.key")
        bus = EventBus()

        access = settings.access
        passwords = passwords or Passwords(access.password_min_length)
        sessions = Sessions(database, clock, access.session_hours)
        accounts = Accounts(database, clock, bus, passwords, sessions)
        await stack.enter_async_context(GrantTimes(database, clock, bus, sessions))
        throttle = Throttle(database, clock, access.login_failures, access.login_failure_minutes)

        await seal_plain(database, vault)
        policy = HubAddresses(settings, clock)
        checks = DeviceChecks(database, policy)
        peculiarities = Peculiarities(database, bus, clock)
        # Without logins: who a device is must be known before it gets one.
        anonymous = await stack.enter_async_context(Onvif(settings.discovery, clock, check=checking(None, policy)))
        trust = await stack.enter_async_context(DeviceTrust(database, bus, clock, anonymous, checks, peculiarities))
        logins = await stack.enter_async_context(
            LoginBudget(clock, DatabaseLoginStore(database), vault.derived("login accounts"), trust)
        )
        onvif = await stack.enter_async_context(
            Onvif(settings.discovery, clock, logins, peculiarities=peculiarities, check=checking(None, policy))
        )
        device_http = await stack.enter_async_context(DeviceHttp(HttpLimits(settings.discovery.reply_bytes)))
        signed_http = SignedHttp(device_http, logins, peculiarities)
        describer = DeviceDescriber(
            onvif,
            VendorDescriber(device_http, signed_http, clock, settings.site.zone),
            CatalogueDescriber(logins),
            settings.discovery.ports,
            check=checking(None, policy),
        )
        register = Register(database, bus, clock, vault, describer, checks, peculiarities)
        profiles = LoginProfiles(database, clock, vault)
        ledgers = Ledgers(database, bus, clock, settings.ledger, settings.site.zone)
        intake = Intake(database, bus, clock, vault, register.devices, profiles, ledgers)
        boxes = Inbox(database)
        stream_addresses = StreamAddresses(database, clock, register, onvif, vault)
        sources = StreamSources(database, stream_addresses, register, onvif, bus, peculiarities, checks)
        media = await stack.enter_async_context(
            MediaEngine(settings, clock, bus, database, sources, logins, HelperCommands(spawn=spawn))
        )
        await stack.enter_async_context(Proofs(database, bus, clock, media.prover))
        proof = MoveProof(onvif, media.picture_fits)
        matches_ = Matches(database, bus, clock, TakingOver(vault, clock), checks, proof, trust)
        watch = await stack.enter_async_context(MoveWatch(database, bus, clock, anonymous, checks))
        announcements = Announcements(bus, clock)
        if settings.discovery.multicast and settings.discovery.announcements:
            await stack.enter_async_context(announcements)
        sweeps = await stack.enter_async_context(Sweeps(settings.discovery, onvif, bus, clock, database, policy))
        jobs_ = await stack.enter_async_context(Jobs(clock, bus))
        await stack.enter_async_context(CandidateRetries(database, clock, intake))
        asker = DeviceLoginAsker(describer, onvif, logins, StoredStreamUrls(database, vault), checks, trust)
        login_changes = LoginChanges(database, bus, clock, vault, asker, jobs_, profiles)
        known = KnownReader(database, checks, vault)
        unconnected = UnconnectedCameras(database, bus, clock, ledgers)
        import_runs = await stack.enter_async_context(
            ImportRuns(database, vault, jobs_, intake, RowEditor(register.cameras, ledgers), unconnected)
        )
        await stack.enter_async_context(PeriodRecorder(database, bus, clock))
        kept = await stack.enter_async_context(
            KeptConversations(clock, logins, peculiarities, call_seconds=settings.ptz.call_seconds)
        )
        ptz_store = PtzStore(database, register, checks)
        opener = PtzOpener(kept, ptz_store, peculiarities)
        steering = await stack.enter_async_context(PtzControl(settings.ptz, clock, bus, ptz_store, opener))
        reference_files = PictureFiles(data_dir / "references")
        book = await stack.enter_async_context(
            ReferenceBook(database, reference_files, bus, clock, learning_rules(settings.pictures), steering)
        )
        recent = RecentPictures()
        alarm_files = PictureFiles(data_dir / "alarm-pictures")
        origins = PictureSources(recent, book, media.pictures)
        keeper = await stack.enter_async_context(
            AlarmPictureKeeper(database, alarm_files, bus, clock, origins, settings.pictures.alarm_mb * 1_000_000)
        )
        looks = ComparedLooks(media.looks, book, keeper, recent, media.pictures, clock)
        contacts = DeviceContacts(checks, onvif)
        rounds = await stack.enter_async_context(
            Rounds(settings.health, clock, bus, database, looks, contacts, settings.site.zone)
        )
        pull_points = await stack.enter_async_context(
            PullPoints(clock, logins, peculiarities, call_seconds=settings.discovery.onvif_timeout)
        )
        device_events_ = await stack.enter_async_context(
            DeviceEvents(settings.device_events, clock, bus, database, pull_points, ListeningTargets(register, checks))
        )
        setting = settings.device_settings
        settings_store = SettingsStore(database)
        links = VillageLinks(setting.at_once_per_village, setting.at_once)
        limits = ClockLimits(setting.clock_warn_seconds, setting.clock_fail_seconds)
        onvif_way = OnvifSettingsWay(onvif, register, checks, clock, setting.read_seconds)
        ways: dict[str, SettingsWay] = {"onvif": onvif_way} | {
            vendor: VendorSettingsWay(
                vendor, signed_http, register, checks, clock, settings.site.zone, setting.read_seconds
            )
            for vendor in VENDORS
        }
        lists = RecorderLists(device_http, signed_http, register, checks, clock)
        readings = SettingsReadings(settings_store, ways, lists, links, bus, clock, limits)
        previews = SettingsPreviews(settings_store, readings, jobs_, clock, setting.at_once)
        nightly = await stack.enter_async_context(
            NightlyClockChecks(
                settings_store, readings, clock, setting.clock_check_at, settings.site.zone, setting.at_once
            )
        )
        osd_store = OsdStore(database, settings.site.zone, clock, limits)
        night = OsdNight(setting.osd_check_at, settings.site.zone, setting.at_once)
        await stack.enter_async_context(OsdChecks(settings_store, osd_store, readings, bus, clock, night))
        recording_store = RecordingStore(database, settings.site.zone)
        recording_checks = await stack.enter_async_context(
            RecordingChecks(
                recording_store,
                recording_roads(settings, onvif, device_http, signed_http, register, checks, clock),
                links,
                jobs_,
                bus,
                clock,
                recording_plan(settings),
            )
        )
        quiet = (settings.notices.quiet_from, settings.notices.quiet_to)
        channels = NoticeChannels(database, bus, clock, vault, quiet)
        await channels.follow_settings(settings.notices)
        policy_of_notices = notice_policy(settings.notices)
        await stack.enter_async_context(Announcer(database, bus, clock, policy_of_notices, settings.site.zone))
        await stack.enter_async_context(NoticeDelivery(clock, bus, database, vault))
        rolling_up = RollUp(database, clock, settings.site.zone, timedelta(days=settings.health.look_days))
        await stack.enter_async_context(running(keep_running("roll-up", rolling_up.run_once, clock=clock), "roll-up"))
        county_judge = CountyJudge(database, clock, settings.site.zone)
        await stack.enter_async_context(
            running(keep_running("county list checks", county_judge.run_once, clock=clock), "county list checks")
        )
        retention = Retention(database, clock, every_expiry_rule(settings))
        await stack.enter_async_context(
            running(keep_running("retention", retention.run_once, clock=clock), "retention")
        )
        match_pictures = MatchPictureExpiry(database, clock, media.pictures)
        await stack.enter_async_context(
            running(keep_running("pictures of matches", match_pictures.run_once, clock=clock), "pictures of matches")
        )
        photos = Photos(data_dir, database, bus, clock, media.eyes, settings.ledger)
        await photos.sweep()
        extents = Extents(settings.map, settings.ledger)
        bases = BasePictures(data_dir, database, bus, clock, media.eyes, extents)
        await bases.sweep()
        whole_map = TownshipMap(database, extents, settings.map)
        key_places = KeyPlaces(database, bus, clock, extents)
        positions = CameraPositions(database, bus, clock, ledgers, extents)
        records_ = await stack.enter_async_context(records(settings, clock, bus, database, vault))
        patrol_ = await stack.enter_async_context(
            patrol(settings, clock, bus, database, media, steering, records_.seal)
        )
        plans_ = await stack.enter_async_context(planning(settings, clock, bus, database, patrol_.runs))
        screens_ = await stack.enter_async_context(screen_parts(database, clock, bus, throttle, patrol_.reader))
        past_files = PastFiles(database, settings.ledger, settings.site.zone)
        alarms_ = Alarms(database)
        personal = PersonalNotices(database, bus, clock)
        changes = await stack.enter_async_context(
            LiveChanges(
                bus,
                clock,
                shared={
                    "village": villages.live(register),
                    "device": devices.live(register, logins),
                    "device_settings": device_settings.live(readings),
                    "camera": cameras.live(register),
                    "camera_position": map.live_positions(positions),
                    "map": map.live_map(whole_map, bases, key_places),
                    "inbox": inbox.live(boxes),
                    "alarm": alarms.live(alarms_),
                    "match": matches.live(matches_),
                    **patrol_.live(),
                    **plans_.live(),
                    **screens_.live(settings.site.time_zone),
                },
                personal={
                    "sweep": discovery.live(sweeps),
                    "job": jobs.live(jobs_),
                    "notice": notices.live(personal),
                },
            )
        )

        async def figures() -> system.Figures:
            found = media.readings.summary()
            return system.Figures(found["feeds"], found["viewers"], found["hub"], found["relays"], found["eyes"])

        yield {
            Settings: settings,
            Clock: clock,
            Database: database,
            Vault: vault,
            EventBus: bus,
            ConnectionFigures: ConnectionFigures(),
            Sessions: sessions,
            Accounts: accounts,
            Throttle: throttle,
            SignIn: SignIn(accounts, sessions, throttle, KnownBrowsers(vault.derived("known browsers"), clock)),
            FirstSetup: FirstSetup(database, clock, accounts, access.setup_link_minutes),
            LoginBudget: logins,
            Register: register,
            Intake: intake,
            Inbox: boxes,
            Peculiarities: peculiarities,
            Sweeps: sweeps,
            Matches: matches_,
            MoveWatch: watch,
            Announcements: announcements,
            DeviceTrust: trust,
            Replacements: Replacements(database, bus, clock, checks, ledgers),
            Jobs: jobs_,
            LoginProfiles: profiles,
            LoginChanges: login_changes,
            SubnetChanges: SubnetChanges(database, checks, onvif, register.devices, jobs_),
            CameraChanges: CameraChanges(database, ledgers, jobs_),
            KeyChange: KeyChange(KeyRotation(database, vault, clock), jobs_),
            Imports: Imports(database, clock, vault, sheet_reader(settings.sheets), known, settings.sheets),
            ImportRuns: import_runs,
            ImportSheets: ImportSheets(database, vault, known),
            **media_parts(media),
            Rounds: rounds,
            Ledgers: ledgers,
            Photos: photos,
            BasePictures: bases,
            TownshipMap: whole_map,
            KeyPlaces: key_places,
            CameraPositions: positions,
            Coverages: Coverages(database, clock, settings.map),
            UnconnectedCameras: unconnected,
            Alarms: alarms_,
            ExclusionRegister: ExclusionRegister(database, bus, clock, settings.site.zone),
            Reports: Reports(
                database, clock, settings.reports, settings.site.zone, past_files, settings.health.alarm_keep_days
            ),
            AlarmHandling: AlarmHandling(database, bus, clock),
            PersonalNotices: personal,
            References: References(database, clock, book, media.looks),
            AlarmPictures: AlarmPictures(database, alarm_files),
            NoticeChannels: channels,
            ChannelTests: ChannelTests(database, clock, vault),
            ObservationHistory: ObservationHistory(database, clock, settings.health),
            HealthBoard: HealthBoard(database, clock, rounds, settings.site.zone),
            CountyChecks: CountyChecks(
                database, clock, sheet_reader(settings.sheets), county_judge, settings.site.zone
            ),
            TripList: TripList(database, clock),
            RoundPlans: RoundPlans(database, bus, clock, settings.site.zone),
            HealthFiles: HealthFiles(database, clock, settings.site.zone),
            DeviceEvents: device_events_,
            DeviceEventHistory: DeviceEventHistory(database, clock),
            SettingsStore: settings_store,
            SettingsReadings: readings,
            SettingsPreviews: previews,
            SettingsChanges: SettingsChanges(settings_store, readings, previews, links, jobs_, setting.at_once),
            NightlyClockChecks: nightly,
            OsdStore: osd_store,
            RecordingStore: recording_store,
            RecordingChecks: recording_checks,
            **patrol_.parts(),
            **records_.parts(),
            **plans_.parts(),
            **screens_.parts(),
            PtzControl: steering,
            PtzPresets: PtzPresets(steering, ptz_store, onvif, clock),
            live.LivePages: live.LivePages(
                media.pages,
                live.PageActions(
                    media.tiles, media.audio, media.page_feeds, patrol_.proof.sightings, PageSteering(steering, bus)
                ),
                changes,
                sessions,
                clock,
            ),
            system.System: system.System(started_at=clock.now(), gauge=figures, restart_relay=media.relays.restart),
        }


def recording_roads(
    settings: Settings,
    onvif: Onvif,
    http: DeviceHttp,
    signed: SignedHttp,
    register: Register,
    checks: DeviceChecks,
    clock: Clock,
) -> RecordingRoads:
    """How devices are asked for their recordings. ONVIF's conversation keeps the device's other calls waiting, so it
    gets less time."""
    seconds, zone = settings.recordings.read_seconds, settings.site.zone
    return RecordingRoads(
        {
            "onvif": OnvifRecordings(onvif, register, checks, clock, zone, min(seconds, 20.0)),
            "vendor": VendorRoad(http, signed, register, checks, clock, zone, seconds),
        }
    )


def recording_plan(settings: Settings) -> RecordingPlan:
    """How often devices are asked for their recordings, and what must be there."""
    given = settings.recordings
    limits = RecordingLimits(
        given.days, given.complete_percent / 100, given.silent_hours * 3600, given.confirm_minutes * 60
    )
    return RecordingPlan(given.check_hours * 3600, given.at_once, limits, settings.site.zone)


def media_parts(media: MediaEngine) -> Parts:
    """The parts of media that routes use, each by its own type."""
    return {
        PageConnections: media.pages,
        PageAudio: media.audio,
        Viewers: media.viewers,
        WhepViewers: media.whep,
        WatchAuthorization: media.authorization,
        Pictures: media.pictures,
        Stills: media.stills,
        Looks: media.looks,
        MediaReadings: media.readings,
        StreamTokens: media.stream_tokens,
        RtspPorts: media.rtsp_ports,
        PlayerAdmission: media.admission,
        PlayerSessions: media.players,
        WhepPlayers: media.whep_players,
    }


def create_app(settings: Settings, parts: Parts | None = None) -> FastAPI:
    """The HTTP side over running parts; without parts only its OpenAPI description can be had.

    Raises RuntimeError when a route states no policy or asks for a part that does not exist.
    """
    app = FastAPI(
        title="camera hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses={
            "4XX": {"model": ErrorAnswer, "description": "Refused; `reason` says why."},
            "5XX": {"model": ErrorAnswer, "description": "A device, the database or the hub itself has failed."},
        },
    )
    attach(app, settings, parts or {})
    for router in _ROUTERS:
        app.include_router(router)
    app.router.default = StaticPages()
    errors.install(app)
    uploads = {
        "/api/imports": MAX_FILE,
        ledger.PHOTO_PATH: MAX_PHOTO,
        map.BASE_PATH: MAX_BASE,
        **PATROL_UPLOADS,
    }
    app.add_middleware(BodyLimit, limit=MAX_BODY, uploads=uploads)
    app.add_middleware(SafeHeaders)
    app.add_middleware(WhepOrigins, origins=settings.media.whep_origins)
    app.add_middleware(errors.Unexpected)
    app.add_middleware(ClientAddress, trusted=settings.server.trusted_proxies)
    check_policies(app)
    if parts is not None:
        check_parts(app, parts)
    return app


def attach(app: FastAPI, settings: Settings, parts: Parts) -> None:
    """Make the app's routes use these parts from now on."""
    app.state.parts = parts
    app.state.sessions = parts.get(Sessions)
    app.state.origins = settings.server.public_origins
    app.state.whep_origins = settings.media.whep_origins
    app.state.secure_cookies = settings.server.secure_cookies
