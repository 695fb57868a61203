"""Patrol: tours and what becomes of them: when they are due, their runs, and the proof of what was really looked at.

`tours` keeps scenes and tours; `runs` follows a tour's timetable (pure) with injected time and writes each step and
its lines of the record in one transaction; `plans` says when a tour is due; `proof` keeps what was seen, confirmed,
found, submitted and signed; `screens` are the wall screens of the centre. Imports access, store and the ground floor;
media and PTZ are handed in. Imports nothing of health: the state of a camera and an alarm are read from their rows.
"""
