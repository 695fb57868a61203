"""The decoder workers (eye processes): the pool, quarantine, looks, key-frame pictures for tiles, stored pictures."""
