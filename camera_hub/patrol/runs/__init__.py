"""Runs: tours being run. `timetable` (pure) says which stop is on and what follows, `runs` follows it, `record` writes
the lines, `visibility` bounds what pages report, `warming` and `positions` prepare the next stop, `rollup` keeps the
record of a loop small. Owns the tables runs, run_steps, run_step_cameras and run_events.
"""
