"""The map: where villages and cameras are, what they see, which places they should cover, and which they do cover."""
