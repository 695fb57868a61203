"""Plans: when a tour is due; and the figures of what became of it."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, Moment
from camera_hub.api.schemas.plans import (
    DueRuleAnswer,
    DueRuleBody,
    DueTimeAnswer,
    NamedCounts,
    OverlapAnswer,
    PatrolCounts,
    PatrolFiguresAnswer,
    PatrolPerson,
    PlanAnswer,
    PlanBody,
    PlanPreview,
    PlanTemplateAnswer,
    PreviewBody,
    YearlySeasonAnswer,
)
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol.plans.figures import CountsOf, PatrolStatistics
from camera_hub.patrol.plans.plans import NewPlan, PlanMoved, PlanOutlook, Plans, PlanView
from camera_hub.patrol.plans.rules import (
    DueRule,
    PlanRules,
    clock_text,
    minute_of,
    rule_json,
    rule_of,
    season_of,
    weekday_set,
)
from camera_hub.patrol.plans.templates import PlanTemplate, stored_days, templates
from camera_hub.settings import Settings

router = APIRouter(prefix="/api", tags=["plans"])

Editor = Annotated[Actor, needs(Action.EDIT_TOURS)]
PlanPart = Annotated[Plans, part(Plans)]


@router.get("/plans")
async def plans(actor: Annotated[Actor, needs(Action.VIEW)], plans: PlanPart) -> list[PlanAnswer]:
    """All plans by name."""
    return [_answer(view) for view in await plans.list(actor)]


@router.get("/plan-templates")
async def plan_templates(
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)], settings: Annotated[Settings, part(Settings)]
) -> list[PlanTemplateAnswer]:
    """What plans of the usual kinds look like."""
    return [_template(one) for one in templates(settings.patrol)]


@router.post("/plans", status_code=201)
async def create_plan(body: PlanBody, actor: Editor, plans: PlanPart) -> PlanAnswer:
    """Create a plan: the tour is due from now on."""
    return _answer(await plans.create(actor, _new(body)))


@router.post("/plans/preview")
async def preview_plan(body: PreviewBody, actor: Editor, plans: PlanPart) -> PlanPreview:
    """The next due times of a plan and where it meets others; nothing is stored."""
    return _preview(await plans.preview(actor, _new(body.plan), body.plan_id))


@router.get("/plans/{plan_id}")
async def plan(plan_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], plans: PlanPart) -> PlanAnswer:
    """One plan."""
    return _answer(await plans.get(actor, plan_id))


@router.put("/plans/{plan_id}")
async def change_plan(plan_id: Id, body: PlanBody, actor: Editor, plans: PlanPart) -> PlanAnswer:
    """Replace the whole plan. 409 `plan_moved` carries its new state in params.plan."""
    try:
        return _answer(await plans.change(actor, plan_id, _new(body), body.revision))
    except PlanMoved as moved:
        now = _answer(moved.view).model_dump(mode="json")
        raise HubError(moved.kind, moved.detail, reason=moved.reason, plan=now, **moved.params) from moved


@router.delete("/plans/{plan_id}")
async def remove_plan(plan_id: Id, actor: Editor, plans: PlanPart, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Retire the plan: nothing is due by it any more; what was due stays on record."""
    await plans.remove(actor, plan_id)
    return Done(at=clock.now())


@router.get("/patrol/people")
async def patrol_people(actor: Annotated[Actor, needs(Action.RUN_TOURS)], plans: PlanPart) -> list[PatrolPerson]:
    """The users who can run tours: whom a plan may name, and a patrol may be handed over to."""
    return [PatrolPerson(id=id, name=name) for id, name in await plans.people(actor)]


@router.get("/patrol/figures")
async def patrol_figures(
    actor: Annotated[Actor, needs(Action.READ_RECORDS)],
    statistics: Annotated[PatrolStatistics, part(PatrolStatistics)],
    since: Annotated[Moment, Query(alias="from")],
    until: Annotated[Moment, Query(alias="to")],
) -> PatrolFiguresAnswer:
    """How many patrols were due, done, late and missed: of the township, per plan and per tour."""
    found = await statistics.between(actor, since, until)
    return PatrolFiguresAnswer(
        since=found.since,
        until=found.until,
        total=PatrolCounts.model_validate(found.total),
        plans=[_counts(one) for one in found.plans],
        tours=[_counts(one) for one in found.tours],
    )


def live(plans: Plans) -> SharedReader:
    """Plans for the pages' WebSockets; the id 0, which no plan has, means that special periods have changed."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {id: to_township(_answer(view)) for id, view in (await plans.some(list(ids))).items()}

    return read


def _new(body: PlanBody) -> NewPlan:
    rules = PlanRules(
        _rule(body.rule),
        weekday_set(body.weekdays),
        body.first_day,
        body.last_day,
        body.in_special,
        _rule(body.special_rule) if body.special_rule is not None else None,
        minute_of(body.night_from),
        minute_of(body.night_to),
        tuple(season_of(one.model_dump()) for one in body.seasons),
    )
    return NewPlan(
        body.name,
        body.tour_id,
        rules,
        body.note,
        body.night_tour_id,
        body.enabled,
        body.grace_minutes,
        tuple(body.people),
    )


def _rule(body: DueRuleBody) -> DueRule:
    return rule_of(body.model_dump())


def _answer(view: PlanView) -> PlanAnswer:
    plan = view.plan
    return PlanAnswer(
        id=plan.id,
        name=plan.name,
        note=plan.note,
        tour_id=plan.tour_id,
        tour_name=view.tour_name,
        night_tour_id=plan.night_tour_id,
        night_tour_name=view.night_tour_name,
        night_from=plan.night_from,
        night_to=plan.night_to,
        enabled=plan.enabled,
        first_day=plan.first_day,
        last_day=plan.last_day,
        seasons=[YearlySeasonAnswer.model_validate(one) for one in plan.seasons],
        weekdays=plan.weekdays,
        rule=DueRuleAnswer.model_validate(plan.rule),
        in_special=plan.in_special,
        special_rule=DueRuleAnswer.model_validate(plan.special_rule) if plan.special_rule is not None else None,
        grace_minutes=plan.grace_minutes,
        people=plan.prompted,
        revision=plan.revision,
        changed_name=plan.changed_name,
        changed_at=plan.changed_at,
        problem=view.problem,
        next_due_at=view.next_due_at,
    )


def _preview(outlook: PlanOutlook) -> PlanPreview:
    return PlanPreview(
        times=[
            DueTimeAnswer(
                at=one.due.at,
                special=one.due.special,
                variant="night" if one.due.night else "day",
                tour_name=one.tour_name,
            )
            for one in outlook.times
        ],
        overlaps=[OverlapAnswer.model_validate(one) for one in outlook.overlaps],
        per_day=outlook.per_day,
        problem=outlook.problem,
    )


def _template(template: PlanTemplate) -> PlanTemplateAnswer:
    rules = template.rules
    return PlanTemplateAnswer(
        code=template.code,
        weekdays=stored_days(rules.weekdays),
        rule=DueRuleAnswer.model_validate(rule_json(rules.normal)),
        in_special=rules.in_special,
        special_rule=DueRuleAnswer.model_validate(rule_json(rules.special)) if rules.special is not None else None,
        night_from=clock_text(rules.night_from),
        night_to=clock_text(rules.night_to),
        grace_minutes=template.grace_minutes,
    )


def _counts(one: CountsOf) -> NamedCounts:
    return NamedCounts(id=one.id, name=one.name, **PatrolCounts.model_validate(one.counts).model_dump())
