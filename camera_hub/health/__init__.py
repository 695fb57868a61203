"""Whether cameras are well: what is measured of them, what follows from it, and who is notified.

In the data's order:

- `rounds` look at every approved camera on its own clock; each look is an observation.
- `judging` (pure): from the latest observations to a verdict on each aspect (media, picture, clock); along village →
  device → camera to the alarms that should be open; to what must change.
- `alarms` write every tick in one transaction, and are read and acknowledged by people.
- `references`: what each camera's picture is compared with; `alarm_pictures`: what is kept of it with an alarm.
- `notices` go out to channels, one by one and each channel on its own.
- `history` reads the observations of one camera; `retention` says when rows end.

Owns the tables observations, camera_states, reference_pictures, alarms, alarm_members, alarm_pictures, notices,
notice_channels and notice_rules, and the columns health, cause and health_since of cameras. Imports access.policy,
store and the ground floor; media, ONVIF and the vault are handed in. Blind to patrol.
"""
