"""One transport for everything that devices are asked over HTTP: ONVIF, pictures, vendors' interfaces.

A request's way: `device_http` (which scheme and port the device is known to use, the pool, same-host upgrades to TLS) →
`connection` (one request and its answer at a time; framing by h11) → `byte_stream` (the socket). `heads` mends an
answer's head before h11 reads it, `bodies` bounds and inflates what follows, `endings` tells where it is complete
whatever its framing says. All asynchronous; every wait is under the caller's `Deadline`. Nothing here knows a login.
"""
