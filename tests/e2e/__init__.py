"""Browser journeys and whole-hub trials: a real hub, the simulator's villages, a real Chromium."""
