"""Small real objects at our own seams."""
