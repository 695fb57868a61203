"""Records of patrols once they are submitted: sealed, reviewed and signed, exported, deleted when their time is up."""
