"""The audit chain: links that follow from each other, so that what was once sealed cannot be edited, deleted, inserted,
reordered or cut off unnoticed by somebody who can write to the database.

Each link holds the digest of what was sealed and the hash of the link before it, and is signed with a key that only the
vault opens. How far the chain has come stands in a file outside the database, the anchor, so that a cut tail and a
restored old copy are found, too. What is sealed is kept as a compressed copy beside its link, so that verifying can
tell which field was changed, not only that something was.
"""
