"""The RTSP server of a device: sessions over TCP and UDP, RTP and RTCP, one paced stream per channel and quality."""
