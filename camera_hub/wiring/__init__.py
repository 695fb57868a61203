"""The composition root by rooms: app.py builds the hub of what these modules build of one room each.

Such a module is read from below: a function that starts the room and stops it again (`patrol_parts`, in a `Rooms` of
app.py), and a value that says what the room hands to others by attribute, to routes by type (`parts`), and to open
pages by topic (`live`).
"""
