"""Steering cameras (PTZ): who steers now (`lock`), what a camera can do (`capabilities`), when it must stop
(`watchdog`), the work at one camera (`session`), and all of them together (`control`). Imports onvif and the store.
"""
