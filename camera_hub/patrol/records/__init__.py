"""Records of patrols once they have ended: sealed, reviewed and signed, exported, deleted when their time is up."""
