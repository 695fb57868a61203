"""`bench wall`: many cameras with few viewers each, the hub and other servers in alternation."""
