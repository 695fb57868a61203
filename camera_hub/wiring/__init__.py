"""The composition root by rooms: app.py builds the hub of what these modules build of one room each."""
