"""Observations rolled up: looks into hours, hours into days, so that a year of a site stays small.

- `tally` (pure): what looks add up to; adding is exact, also of what was added up before.
- `rollup`: rolls up what is complete, camera by camera; `reading`: the level that fits a span.

Owns the tables observation_hours, observation_days and rollup_marks.
"""
