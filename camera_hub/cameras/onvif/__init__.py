"""Talking ONVIF to one device at a time: bounded, without redirects, never trusting an address that a device names.

Requests are written and answers read by hand (`soap`, `device`, `media2`): a dozen calls do not need parsed WSDLs,
which with zeep take 20 MB, and cameras often answer what no schema allows.
"""
