"""Figures of a span that a township is judged by: online, intact, clock, recording, repairs, ranking of villages.

- `periods` records when each camera was in use and when the hub observed at all.
- `span`, `tally`, `repairs` and `figures` (pure) compute the figures from intervals alone, never from averages.
- `reading` takes the rows out of the database in pieces; `reports` answers a report; `sheet` writes it as .xlsx.

Every figure is given before and after exclusions, with its count; what is not known is neither well nor faulty.
"""
