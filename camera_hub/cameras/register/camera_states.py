"""The states of a camera, and the steps between them. Pure.

    waiting ──return──▶ returned ──submit──▶ waiting ──approve──▶ approved ──retire──▶ retired ──approve──▶ approved

A camera that the township adds is approved at once. A failed picture changes none of this.
"""

from typing import Final, Literal

State = Literal["found", "waiting", "returned", "approved", "retired"]
Step = Literal["approve", "return", "submit", "retire", "move"]

PENDING: Final[tuple[State, ...]] = ("found", "waiting", "returned")
"""Not approved yet: what the inbox shows. (`found` is of earlier versions, and as good as waiting.)"""

_ALL: tuple[State, ...] = (*PENDING, "approved", "retired")
_AFTER: dict[Step, dict[str, State]] = {
    "approve": dict.fromkeys(_ALL, "approved"),
    "return": dict.fromkeys(PENDING, "returned"),
    # The township may have been faster: what is approved already stays so.
    "submit": {"found": "waiting", "returned": "waiting", "waiting": "waiting", "approved": "approved"},
    "retire": dict.fromkeys(_ALL, "retired"),
    # To an address that the township has not seen yet.
    "move": {
        "found": "waiting",
        "waiting": "waiting",
        "returned": "returned",
        "approved": "waiting",
        "retired": "retired",
    },
}


def after(state: str, step: Step) -> State | None:
    """The state after a step; None when it cannot be taken from this state."""
    return _AFTER[step].get(state)
