"""HTTP and WebSocket, one file per noun; no decisions.

Every route names its policy (`access.policy.Action`); one without fails at start and in the suite. May import every
room below it, but never the relay, the eye or the simulator. Only home of fastapi besides `app`.
"""
