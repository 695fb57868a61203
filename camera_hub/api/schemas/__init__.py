"""The shapes of what goes over HTTP and WebSocket; the web's types are generated from them (OpenAPI)."""
