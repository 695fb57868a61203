"""Pictures of places: drawn once with numpy, encoded once per look, shared by all channels with the same look.

The caption (name and running clock) is not encoded: `caption` writes it straight into the H.264 bits of each frame as
it is sent, so a thousand channels with their own names and a true clock cost one encode per look.
"""
