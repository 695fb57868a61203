"""What one peer may be sent again. Pure."""

from camera_hub.relay.peer.repair_budget import LEAST, LOOKUPS, SAVED_LEAST, RepairBudget


def test_repair_takes_half_of_what_media_takes_and_never_nothing() -> None:
    budget = RepairBudget()
    budget.spend(10**9)
    assert budget.room == 0
    budget.grant(1_000_000, None)
    assert budget.room == 500_000
    budget.spend(500_000)
    budget.grant(0, None)
    assert budget.room == LEAST


def test_what_a_wall_loses_in_a_second_is_repaired_at_once() -> None:
    budget = RepairBudget()
    for _ in range(10):
        budget.grant(1_000_000, None)
    assert budget.room == 2_000_000
    for _ in range(60):
        budget.grant(0, None)
    assert budget.room == SAVED_LEAST, "nothing is saved for a viewer that is sent nothing"


def test_a_narrow_link_is_resent_half_of_what_it_bears() -> None:
    budget = RepairBudget()
    budget.grant(1_000_000, 80_000)
    assert budget.room == 5_000
    budget.grant(1_000_000, 80_000)
    assert budget.room == 5_000


def test_what_is_looked_up_has_a_bound_a_second_found_or_not() -> None:
    budget = RepairBudget()
    assert budget.look_up(LOOKUPS - 5) == LOOKUPS - 5
    assert budget.look_up(1000) == 5
    assert budget.look_up(1000) == 0
    budget.grant(0, None)
    assert budget.look_up(1000) == 1000
