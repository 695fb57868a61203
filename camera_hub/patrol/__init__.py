"""Tours and their being walked: scenes, tours, runs and the record of what was shown.

`timetable` (pure) says which stop is on and what follows; `runs` walks along it with injected time, and writes each
step and its line of the record in one transaction. Owns the tables scenes, tours, tour_stops, runs and run_steps.
Imports access.policy, store and the ground floor; media is handed in. Blind to health: how a camera is stands in its
row.
"""
