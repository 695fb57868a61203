"""Whether cameras are well: what is measured of them, what follows from it, and who is notified.

In the data's order:

- `rounds` ask the device of every approved camera each minute, and fetch a key frame each five, on its own clock; each
  is an observation. Online is what a key frame has proved: that stays good until the next one as long as the device
  answers in between.
- `judging` (pure): from the latest observations to a verdict on each aspect (reachable, media, picture, clock, …);
  along village → device → camera to the alarms that should be open; to what must change.
- `alarms` write every tick in one transaction, and are read and acknowledged by people.
- `references`: what each camera's picture is compared with; `alarm_pictures`: what is kept of it with an alarm.
- `notices` go out to channels, one by one and each channel on its own.
- `rollup` adds observations up by hour and day; `history` reads them of one camera; `expiry_rules` say when rows end.

Owns the tables observations and their roll-ups, camera_states, reference_pictures, alarms, alarm_members,
alarm_pictures, notices, notice_channels and notice_rules, and the columns health, cause and health_since of cameras.
Imports access.policy, store and the ground floor; media, ONVIF and the vault are handed in. Blind to patrol.
"""
