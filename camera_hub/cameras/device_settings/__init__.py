"""Settings on devices: clock and NTP, OSD, sub stream. Read, planned, set, read back; clocks are checked by night.

`values` what a device has; `plan` what would change; `previews`, `applying` a person's change; `nightly` the check.
"""
