"""The relay process itself: commands from the hub, messages to it, garbage collection, health, totals."""
