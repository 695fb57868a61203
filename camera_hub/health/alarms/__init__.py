"""Alarms as they are written and read."""
