"""Checks of what devices have recorded."""
