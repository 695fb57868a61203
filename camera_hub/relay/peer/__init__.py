"""One browser peer: its tracks and what each is switched to, pacing, repair, link quality."""
