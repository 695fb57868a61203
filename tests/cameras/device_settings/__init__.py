"""Settings on devices."""
