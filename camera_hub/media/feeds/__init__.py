"""Which feeds run and why: leases, the desired state, device limits, what relays reported, recovery, login permits."""
