"""Plans: when a tour is due, and what became of it. `rules` and `calendar` (pure) give the due times of a plan between
two instants, `states` (pure) says what an occurrence is now; `occurrences` makes them rows in time and follows their
runs, `figures` counts them, `overview` shows the days of a month. Owns the tables plans, special_periods and
occurrences.
"""
