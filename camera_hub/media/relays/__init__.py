"""The relay processes: links to them, supervision and the watchdog, hand-over, and the messages that come from them."""
