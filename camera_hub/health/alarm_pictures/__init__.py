"""Pictures that are kept with alarms: what was seen and what it was compared with, and what proved the repair.

- `recent`: the last bad and the last good picture of cameras that have trouble, in memory.
- `keeper`: follows the alarms and keeps their pictures.
- `pictures`: as people read them.
"""
