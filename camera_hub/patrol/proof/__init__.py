"""The proof of a patrol: what was seen, confirmed and found, the pictures that the hub took, and submitting it.

- `results` (pure): what a result may become, and what a confirmation needs.
"""
