"""Vendors' own HTTP interfaces, read-only, for devices whose ONVIF is off; and the RTSP paths that vendors use.

A device's way through them: `recognition` (whose interface is it? nothing is signed for that) → `interface` (one
device, one deadline, the one login budget) → `hikvision` or `dahua` (what is asked, and what the answers mean) →
`answers` (what both tell). `refusals` reads why a device refuses. `paths` is the catalogue of RTSP paths.
"""
