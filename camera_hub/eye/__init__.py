"""The eye process: one key frame in, a picture and scores out.

FFmpeg parses hostile bytes here and nowhere else: niced, RLIMIT_AS, 5 s per picture, killed and replaced by the hub
without a live picture noticing. Keeps nothing between two requests. May import the ground floor and `sight`. The hub
imports nothing of it but `messages`.
"""
