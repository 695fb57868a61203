"""The states of a camera, and the steps between them. Pure.

    waiting ──return──▶ returned ──submit──▶ waiting ──approve──▶ approved ──retire──▶ retired ──approve──▶ approved

A camera that the township adds is approved at once. A failed picture changes none of this.
"""

from typing import Literal

State = Literal["found", "waiting", "returned", "approved", "retired"]
Step = Literal["approve", "return", "submit", "retire", "move"]

PENDING: tuple[State, ...] = ("found", "waiting", "returned")
"""Not approved yet: what the inbox shows. (`found` is of earlier versions, and as good as waiting.)"""

_AFTER: dict[Step, dict[State, State]] = {
    "approve": dict.fromkeys(("found", "waiting", "returned", "approved", "retired"), "approved"),
    "return": dict.fromkeys(("found", "waiting", "returned"), "returned"),
    # The township may have been faster: what is approved already stays so.
    "submit": {"found": "waiting", "returned": "waiting", "waiting": "waiting", "approved": "approved"},
    "retire": dict.fromkeys(("found", "waiting", "returned", "approved", "retired"), "retired"),
    # To an address that the township has not seen yet.
    "move": {
        "found": "waiting",
        "waiting": "waiting",
        "returned": "returned",
        "approved": "waiting",
        "retired": "retired",
    },
}


def after(state: State, step: Step) -> State | None:
    """The state after a step; None when it cannot be taken from this state."""
    return _AFTER[step].get(state)
