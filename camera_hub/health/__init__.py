"""Whether cameras are well: rounds, judging, causes, alarms, and telling about them.

`rounds` observes every approved camera on its own clock; `judge` (pure) decides from the last observations; `causes`
(pure) decides along village → device → camera which alarms should be open, `changes` (pure) what to do about it;
`record` writes a tick in one transaction; `webhook` delivers the outbox. Owns the tables observations, alarms and
notices and the columns health, cause and health_since of cameras. Imports access.policy, store and the ground floor;
media and ONVIF are handed in. Blind to patrol.
"""
