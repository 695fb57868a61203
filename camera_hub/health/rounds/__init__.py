"""Looking at cameras: which, when, and what a look found."""
