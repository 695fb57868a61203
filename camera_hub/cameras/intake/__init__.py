"""Intake: every way in (search, single address, stream address, sheet) goes through here.

A wanted device is registered, or it becomes a candidate that waits in its village's inbox with its reason:

wanted.py      what is wanted, and what became of it: frozen values
intake.py      wanted → registered or candidate; tried again, changed, dismissed
taken_in.py    what a registration adds to its rows for who wanted the device
candidates.py  rows of candidates, and the rules for them: which are one device, when one is tried again by itself
retries.py     candidates that could not be reached, tried again by themselves
inbox.py       what waits in a village, for a page
"""
