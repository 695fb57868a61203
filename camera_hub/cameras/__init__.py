"""Devices, cameras and their streams. Owns villages, devices, cameras, streams and logins.

Data comes in by `discovery` (which devices are there) → `onvif` (what a device is) → `register` (what is kept of it,
approved, proved by a picture) → `streams` (what is pulled, and from which address). `credentials` are the devices'
logins and how often they may be tried; `identity` says when two devices are the same.

Imports `access`, `store`, the ground floor and the messages of relays (a stream's address goes there as a `FeedSpec`).
Only home of zeep (`cameras.onvif`) and pypinyin.
"""
