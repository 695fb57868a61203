"""Devices' logins: sealed storage, the budget of tries, retry rules."""
