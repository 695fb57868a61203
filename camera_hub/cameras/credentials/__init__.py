"""Logins of devices: one per purpose, sealed when stored; how often they may be tried."""
