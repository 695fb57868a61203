"""Camera hub: connects the cameras of a township's villages to its safety centre.

Packages ("rooms"), from the top: `app` puts everything together; `api` speaks HTTP and WebSocket; `patrol` and `health`
do the centre's work without importing each other; `media` is the hub's side of video; `cameras` finds and registers
devices; `access` decides who may do what; `store` holds rows. The ground floor (`settings`, `errors`, `clock`,
`running`, `events`, `wire`) does no I/O of its own. `relay`, `eye` and `sight` run in separate processes and import
only the ground floor; `simulator` imports nothing of the hub. import-linter enforces this (pyproject.toml).

The hub observes places and devices, never persons.
"""

__version__ = "0.1.0"
