"""What goes over HTTP and WebSocket: the truth from which the web's types are generated (OpenAPI)."""
