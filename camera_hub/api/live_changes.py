"""Changes for all open pages: each changed row is read once, whatever the number of pages, and sent to those pages that
may see it.

Forty cameras that drop at once are forty events. While the first batch is read the others queue up, so that they are
read together: a handful of statements, not one for each camera and page.
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self

from camera_hub.access.policy import Action, Actor, Role, allows
from camera_hub.api.schemas.base import Answer
from camera_hub.api.schemas.media import ChangedMessage, Topic
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import (
    AccessChanged,
    AlarmChanged,
    CameraChanged,
    CameraPositionChanged,
    DeviceChanged,
    DeviceSettingsChanged,
    Event,
    EventBus,
    ExclusionChanged,
    FavouriteChanged,
    FindingChanged,
    InboxChanged,
    JobChanged,
    Lagged,
    MapChanged,
    MatchChanged,
    NoticeAdded,
    OccurrenceChanged,
    PeculiaritiesChanged,
    PlanChanged,
    ResultChanged,
    RunChanged,
    ScreenChanged,
    Subscription,
    SweepChanged,
    TourChanged,
    VillageChanged,
)
from camera_hub.patrol import township
from camera_hub.running import Backoff, keep_running, running

MANY = 200
"""Changes waiting for one page, or to be read, beyond which it is cheaper to let pages read their lists again."""

HUB = Actor(0, "hub", "hub", Role.TOWNSHIP_ADMIN)
"""Reads rows for all pages; what each page gets of them is decided by the page's own actor."""

Render = Callable[[Actor], Answer | None]
"""What an actor gets of a row: one of a few prepared answers, None when the row is gone or the actor may not see it."""

SharedReader = Callable[[Collection[Any]], Awaitable[Mapping[Any, Render]]]
"""Reads rows by their ids. Ids that are left out are gone."""

PersonalReader = Callable[[Actor, Any], Awaitable[Answer | None]]
"""Reads a row that concerns one user alone. None: it is gone, or the user may not see it."""

_EVENTS = (
    VillageChanged,
    ExclusionChanged,
    DeviceChanged,
    DeviceSettingsChanged,
    PeculiaritiesChanged,
    CameraChanged,
    CameraPositionChanged,
    MapChanged,
    FavouriteChanged,
    InboxChanged,
    AlarmChanged,
    MatchChanged,
    TourChanged,
    RunChanged,
    ResultChanged,
    FindingChanged,
    PlanChanged,
    OccurrenceChanged,
    ScreenChanged,
    SweepChanged,
    JobChanged,
    NoticeAdded,
    AccessChanged,
)

Noun = tuple[Topic, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose pages get a change: those of users who may see one of the villages (None: what belongs to the whole
    township), those of single users, or those of everybody who may see pictures.
    """

    villages: frozenset[int | None] = frozenset()
    users: frozenset[int] = frozenset()
    everybody: bool = False

    def has(self, actor: Actor) -> bool:
        """Whether the actor's pages get the change."""
        if self.everybody and allows(actor, Action.VIEW):
            return True
        return actor.user_id in self.users or any(
            allows(actor, Action.VIEW) and township.sees(actor)
            if village is None
            else allows(actor, Action.VIEW, village)
            for village in self.villages
        )

    def __or__(self, other: "Audience") -> "Audience":
        """Both together: several changes of one row are read once."""
        return Audience(self.villages | other.villages, self.users | other.users, self.everybody or other.everybody)


def _of_village(village_id: int | None) -> Audience:
    return Audience(villages=frozenset({village_id}))


def _of_user(user_id: int) -> Audience:
    return Audience(users=frozenset({user_id}))


def concerned(event: Event) -> tuple[Noun, Audience] | None:
    """What changed and who gets it; None for an event that changes no row of a page. Pure."""
    match event:
        case VillageChanged(village_id) | ExclusionChanged(village_id=int(village_id)):
            return ("village", village_id), _of_village(village_id)
        case DeviceChanged(device_id, village_id) | PeculiaritiesChanged(device_id, village_id):
            return ("device", device_id), _of_village(village_id)
        case DeviceSettingsChanged(device_id, village_id):
            return ("device_settings", device_id), _of_village(village_id)
        case CameraChanged(camera_id, village_id):
            return ("camera", camera_id), _of_village(village_id)
        case CameraPositionChanged(camera_id, village_id):
            return ("camera_position", camera_id), _of_village(village_id)
        case MapChanged(part, villages):
            return ("map", part), Audience(villages - {None}, everybody=None in villages)
        case InboxChanged(village_id):
            return ("inbox", village_id), _of_village(village_id)
        case FavouriteChanged(user_id, camera_id):
            return ("camera", camera_id), _of_user(user_id)
        case AlarmChanged(alarm_id, village_id):
            return ("alarm", alarm_id), _of_village(village_id)
        case MatchChanged(match_id, village_id, other_village_id):
            return ("match", match_id), _of_village(village_id) | _of_village(other_village_id)
        case TourChanged(tour_id):
            return ("tour", tour_id), _of_village(None)
        case RunChanged(run_id):
            return ("run", run_id), _of_village(None)
        case ResultChanged(run_id):
            return ("result", run_id), _of_village(None)
        case FindingChanged(finding_id):
            return ("finding", finding_id), _of_village(None)
        case PlanChanged(plan_id):
            return ("plan", plan_id), _of_village(None)
        case OccurrenceChanged(occurrence_id):
            return ("occurrence", occurrence_id), _of_village(None)
        case ScreenChanged(screen_id):
            return ("screen", screen_id), _of_village(None) | _of_user(-screen_id)
        case SweepChanged(sweep_id, user_id):
            return ("sweep", sweep_id), _of_user(user_id)
        case JobChanged(job_id, user_id):
            return ("job", job_id), _of_user(user_id)
        case NoticeAdded(notice_id, user_id):
            return ("notice", notice_id), _of_user(user_id)
    return None


class ChangedRow:
    """One changed row and its messages: serialized once for each distinct answer, not once for each page."""

    def __init__(self, noun: Noun, audience: Audience, render: Render | None) -> None:
        self.noun = noun
        self.audience = audience
        self._render = render
        self._texts: dict[int, str] = {}

    def text(self, actor: Actor) -> str:
        """The `changed` message for a page of the actor."""
        answer = self._render(actor) if self._render is not None else None
        key = id(answer)  # renders choose among answers that live as long as this row
        if key not in self._texts:
            topic, identity = self.noun
            data = answer.model_dump(mode="json") if answer is not None else None
            self._texts[key] = ChangedMessage(topic=topic, id=identity, data=data).model_dump_json()
        return self._texts[key]


class PageChanges:
    """The changes still to be sent to one page. A newer row of a noun replaces an older one, so there are few."""

    def __init__(self, actor: Actor, wake: Callable[[], None]) -> None:
        self.actor = actor
        self.reload = False
        self.recheck = False
        self._rows: dict[Noun, ChangedRow] = {}
        self._wake = wake

    def put(self, row: ChangedRow) -> None:
        """Add a row if the page may get it; beyond MANY the page reads its lists again instead."""
        if self.reload or not row.audience.has(self.actor):
            return
        self._rows.pop(row.noun, None)
        self._rows[row.noun] = row
        if len(self._rows) > MANY:
            self.ask_reload()
        self._wake()

    def ask_reload(self) -> None:
        """Make the page read its lists again: they contain the pending changes."""
        self._rows.clear()
        self.reload = True
        self._wake()

    def ask_recheck(self) -> None:
        """Have the page's session authorized again."""
        self.recheck = True
        self._wake()

    def pop(self) -> ChangedRow | None:
        """The oldest pending row, None when there is none."""
        return self._rows.pop(next(iter(self._rows))) if self._rows else None


class LiveChanges:
    """Reads what changed and passes it to the open pages. An async context manager.

    `shared` reads rows for everybody. `personal` are topics whose rows belong to one user, read for that user. What
    cannot be read stays pending until it can (`keep_running` backs off); when too much has queued up, pages reload.
    """

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        shared: Mapping[Topic, SharedReader],
        personal: Mapping[Topic, PersonalReader],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self.shared = shared
        self.personal = personal
        self._pages: set[PageChanges] = set()
        self._pending: dict[Noun, Audience] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            events = stack.enter_context(self._bus.subscribe(*_EVENTS))
            reading = keep_running(
                "live changes", lambda: self._run(events), clock=self._clock, backoff=Backoff(cap=5.0)
            )
            await stack.enter_async_context(running(reading, "live changes"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @contextmanager
    def page(self, actor: Actor, wake: Callable[[], None]) -> Iterator[PageChanges]:
        """The changes for one page while the block runs; `wake` is called when there is something to send."""
        changes = PageChanges(actor, wake)
        self._pages.add(changes)
        try:
            yield changes
        finally:
            self._pages.discard(changes)

    async def _run(self, events: Subscription) -> None:
        while True:
            if not self._pending:
                self._note(await events.batch())
            await self._hand_out()

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Lagged):
                self._reload_all()
            elif isinstance(event, AccessChanged):
                for page in self._pages:
                    if page.actor.user_id == event.user_id:
                        page.ask_recheck()
            elif (found := concerned(event)) is not None and any(found[1].has(page.actor) for page in self._pages):
                noun, audience = found
                known = self._pending.get(noun)
                self._pending[noun] = audience if known is None else known | audience
        if len(self._pending) > MANY:
            self._reload_all()

    def _reload_all(self) -> None:
        self._pending.clear()
        for page in self._pages:
            page.ask_reload()

    async def _hand_out(self) -> None:
        """Read what is pending, topic by topic, and pass it to the pages. What a failure interrupts stays pending."""
        for topic in dict.fromkeys(topic for topic, _ in self._pending):
            nouns = {noun: audience for noun, audience in self._pending.items() if noun[0] == topic}
            try:
                rows = await self._read(topic, nouns)
            except HubError:
                raise  # the database is unavailable: what is pending is read when it is back
            except Exception:
                for noun in nouns:  # a row that cannot be read must not hold up the others for ever
                    self._pending.pop(noun, None)
                self._reload_all()
                raise
            for noun in nouns:
                self._pending.pop(noun, None)
            for row in rows:
                for page in self._pages:
                    page.put(row)

    async def _read(self, topic: Topic, nouns: Mapping[Noun, Audience]) -> list[ChangedRow]:
        if (reader := self.shared.get(topic)) is not None:
            found = await reader([identity for _, identity in nouns])
            return [ChangedRow(noun, audience, found.get(noun[1])) for noun, audience in nouns.items()]
        if (own := self.personal.get(topic)) is not None:
            rows = []
            for noun, audience in nouns.items():
                actor = next((page.actor for page in self._pages if audience.has(page.actor)), None)
                if actor is not None:
                    answer = await own(actor, noun[1])
                    rows.append(ChangedRow(noun, audience, lambda _, answer=answer: answer))  # type: ignore[misc]
            return rows
        return []


def to_village(answer: Answer, village_id: int | None) -> Render:
    """A row of a village, the same for all who may see it; a row without a village belongs to the township."""
    if village_id is None:
        return to_township(answer)
    return lambda actor: answer if allows(actor, Action.VIEW, village_id) else None


def to_township(answer: Answer) -> Render:
    """A row that belongs to the whole township (tours and runs combine cameras of several villages)."""
    return lambda actor: answer if township.sees(actor) else None


def to_everybody(answer: Answer) -> Render:
    """What all who may see pictures see, whatever villages they are bound to."""
    return lambda actor: answer if allows(actor, Action.VIEW) else None


async def each(
    ids: Collection[Any], get: Callable[[Any], Awaitable[Any]], render: Callable[[Any], Render | None]
) -> dict[Hashable, Render]:
    """Read rows one by one where they cannot be read together; those that are gone (NOT_FOUND) are left out."""
    found: dict[Hashable, Render] = {}
    for identity in ids:
        try:
            shown = render(await get(identity))
        except HubError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            continue
        if shown is not None:
            found[identity] = shown
    return found
