"""Finding devices, speaking ONVIF, and the register of devices, cameras and streams.

Owns villages, devices, cameras, streams and their logins. Imports `access`, `store`, the ground floor and the messages
of relays (a stream's address goes there as a `FeedSpec`). Only home of zeep (`cameras.onvif`) and pypinyin.
"""
