"""The decoder workers (eye processes): the pool, quarantine, looks, stills, stored pictures."""
