"""Patrol: scenes, tours, their runs, and the record of what was really seen.

`timetable` (pure) says which stop is on and what follows; `runs` follows it with injected time, and writes each step
and its lines of the record in one transaction; `visibility` bounds what pages report; `rollup` keeps the record of a
loop small. Owns the tables scenes, tours, tour_stops, runs, run_steps and run_step_cameras. Imports access.policy,
store and the ground floor; media is handed in. Imports nothing of health: the state of a camera is read from its row.
"""
