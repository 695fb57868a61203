"""Telling alarms to the outside."""
