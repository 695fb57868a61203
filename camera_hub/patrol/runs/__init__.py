"""Runs: tours being run. `timetable` (pure) says which stop is on and what follows; `keeper` makes every change of a
run, for `runs` (what people do) and `loop` (what is due); `record` writes the lines, `run_events` the events.
`run_proof` is asked at each change; `alarm_interrupts` and `ptz_waits` pause a run; `warming` and `positions` prepare
the next stop; `reader` and `views` tell of runs; `visibility` bounds what pages report; `rollup` keeps the record of a
loop small; `engine` puts it all together. Owns the tables runs, run_steps, run_step_cameras and run_events.
"""
