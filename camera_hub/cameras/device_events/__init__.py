"""What devices themselves report: motion, tampering, loss of video, faults of hardware. Never persons."""
