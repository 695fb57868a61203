"""Whether a device did what it was asked: what was planned against what was read back. Pure."""

from camera_hub.cameras.device_settings.plan import same
from camera_hub.cameras.device_settings.values import Facts, PlannedItem
from camera_hub.cameras.jobs import JobVerdict
from camera_hub.errors import Param, Reason


def read_back_verdict(item: PlannedItem, read: Facts) -> JobVerdict:
    """`read`: the same facts, read after the device accepted the change. Facts that were not to change do not count."""
    wanted = [name for name, value in item.after.items() if not same(item.part, name, item.before.get(name), value)]
    lacking = [name for name in wanted if not same(item.part, name, read.get(name), item.after[name])]
    params: dict[str, Param] = {}
    offset = read.get("offset_s")
    if isinstance(offset, int | float):
        params["offset_s"] = round(offset, 2)
    if not lacking:
        return JobVerdict(True, None, "", params)
    as_before = all(same(item.part, name, read.get(name), item.before.get(name)) for name in wanted)
    if as_before:
        return JobVerdict(
            False,
            Reason.CHANGED_NOTHING,
            "the device accepted the change and is as before; set it on the device's own page",
            params,
        )
    params |= {"set": ", ".join(name for name in wanted if name not in lacking), "lacks": ", ".join(lacking)}
    return JobVerdict(
        False,
        Reason.CHANGED_PARTLY,
        f"the device did not take all of it: {', '.join(lacking)} is not as wanted",
        params,
    )
