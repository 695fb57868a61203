"""RTSP out, the hub's side: tokens are judged here, and players' sessions registered."""
