"""The eye, a decoder worker process: one key frame in, a JPEG and scores out. It keeps nothing between two requests.

FFmpeg parses hostile bytes here, so the process is niced, its address space is bounded, and the hub kills it when a
request takes longer than 5 s. The hub imports only `eye.messages`. In the order of the data's way:

- `__main__`: the process: limits, pipe, one request after the other
- `messages`: requests and replies on the pipe
- `look`: one request: decode, score, scale, encode
- `photo`: one request: a picture file that somebody uploaded
- `decode`: one access unit to an image, with FFmpeg
"""
