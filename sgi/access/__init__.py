"""Accounts, sessions, rules and the guard at the door."""
