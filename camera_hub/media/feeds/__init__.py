"""Which feeds run and why: the desired state, device limits, restart policy, key frames, login permits."""
