"""One run of packets to many peers: batched SRTP protection and sending (sendmmsg, UDP GSO), with a plain fallback."""
