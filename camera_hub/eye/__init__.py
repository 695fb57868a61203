"""Inside an eye process: one key frame in, a picture and scores out; nothing is kept between two requests.

FFmpeg parses hostile bytes here, so the process is niced, its memory is bounded, and the hub kills it when it takes
longer than 5 s. The hub imports only `eye.messages`.
"""
