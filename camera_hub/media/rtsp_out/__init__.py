"""RTSP out, the hub's side: players are admitted by token, their sessions registered, and ports opened for them."""
