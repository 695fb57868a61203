"""Streams of cameras: which one is pulled, and from which address."""
