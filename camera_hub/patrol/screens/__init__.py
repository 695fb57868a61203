"""Screens: what hangs on the wall for everybody in the room, put there from any seat.

contents (pure: what is put on, taken back, ended) → pictures (which camera in which tile now) → screens
(the operations) → following (runs that move on, scenes that change) → the screen's own
browser, enrolled by access.screen_tokens.
"""
