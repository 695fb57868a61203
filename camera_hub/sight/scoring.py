"""From a measured value to a score: 100 is a picture without a trace of the fault, 60 the limit, 0 the fault itself."""

FAULT_BELOW = 60.0


def score(value: float, *, best: float, limit: float, worst: float) -> float:
    """The score of a value between `best` (100), `limit` (60) and `worst` (0), which run the same way up or down."""
    if (value - limit) * (best - limit) >= 0:
        share = min(1.0, (value - limit) / (best - limit))
        return round(60.0 + 40.0 * share, 1)
    return round(60.0 * max(0.0, 1.0 - (value - limit) / (worst - limit)), 1)
