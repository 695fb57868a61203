"""The relay process speaks RTSP to cameras."""
