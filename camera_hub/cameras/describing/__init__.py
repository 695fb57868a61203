"""What a device is and which cameras it has, whichever of its services answers: ONVIF, its vendor's interface, RTSP."""
