"""One run of packets to many peers behind one interface: batched SRTP and sending, and a plain fallback."""
