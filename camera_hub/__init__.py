"""Camera hub: joins the cameras of a township's villages to its safety centre.

Rooms, from the top: `app` puts everything together; `api` speaks HTTP and WebSocket; `patrol` and `health` do the
centre's work, blind to each other; `media` is the hub's side of video; `cameras` finds and keeps devices; `access`
says who may do what; `store` keeps rows. The ground floor (`settings`, `errors`, `clock`, `running`, `events`, `wire`)
does no I/O of its own. `relay`, `eye` and `sight` live in processes of their own and know only the ground floor;
`simulator` knows nothing of the hub. import-linter (pyproject.toml) keeps it so.

The hub sees places and devices, never persons.
"""

__version__ = "0.1.0"
