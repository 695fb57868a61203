"""Virtual villages: devices that behave like real cameras and recorders, with faults on request.

For tests, the demo and load tests. Imports nothing of the hub; may import `av`, `numpy` and `lxml`. Every device has
its own loopback address. The entry point is `Farm`; `plan.default_farm` plans a township for it.
"""
