"""Figures of a span."""
