"""Devices, cameras and their streams. Owns villages, devices, cameras, streams and logins.

Data comes in through `discovery` (which devices exist) → `onvif` (what a device is) → `register` (what is stored of it,
approved, proved by a picture) → `streams` (what is pulled, and from which address). `http` is the one transport to
devices, whatever they are asked; `credentials` are the devices' logins and how often they may be tried; `identity`
decides whether two devices are the same.

Imports `access`, `store`, the ground floor and the messages of relays (a stream's address goes there as a `FeedSpec`).
The only package that imports zeep (`cameras.onvif`) and pypinyin.
"""
