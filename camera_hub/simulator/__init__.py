"""Virtual villages: devices that answer as cameras and recorders do, with faults on request.

For tests, the demo and load. Owns nothing of the hub and imports nothing of it; may import `av`, `numpy` and `lxml`.
Every device has a loopback address of its own. `Farm` is the way in, `plan.default_farm` makes a township to put in it.
"""
