"""Devices' logins: one per purpose, sealed when stored; how often they may be tried."""
