"""Who may do what: accounts, sessions, role × village policy, secrets. Imports `store` and the ground floor."""
