"""Plans of the demo: an ordinary one, and two that fall due right after the start, so that a visitor sees what happens
then. Nothing is made up: what is late or missed in the demo, nobody has patrolled."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from camera_hub.demo.api import Api

AROUND = {"times": [], "every": {"minutes": 120, "begin": "00:00", "end": "00:00"}}


async def plan_tours(api: Api, now: datetime) -> None:
    """Plans for the tours that there are, and a special period that begins tomorrow."""
    tours = {row["name"]: row["id"] for row in await api("GET", "/api/tours")}
    zone = ZoneInfo((await api("GET", "/api/session"))["time_zone"])
    local = now.astimezone(zone)

    def at(minutes: int) -> str:
        return (local + timedelta(minutes=minutes)).strftime("%H:%M")

    async def plan(name: str, tour: str, times: list[str], grace: int, special: object = None) -> None:
        tour_id = tours.get(tour, next(iter(tours.values())))  # a small demo has no school
        body = {"name": name, "tour_id": tour_id, "rule": {"times": times, "every": None}, "grace_minutes": grace}
        await api("POST", "/api/plans", body | ({"in_special": "other", "special_rule": special} if special else {}))

    await plan("每日巡查，特护期加密", "重点路段巡查", ["08:30", "14:30", "20:00"], 30, AROUND)
    await plan("重点单位巡查（启动后到时间）", "重点单位巡查", [at(2), at(242)], 30)
    await plan("校园周边巡查（无人巡查时逾期、漏巡）", "校园周边巡查", [at(6), at(11), at(131)], 3)
    begins = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=zone)
    period = {"name": "庙会", "kind": "event", "begins_at": begins.isoformat()}
    await api("POST", "/api/special-periods", period | {"ends_at": (begins + timedelta(days=2)).isoformat()})
