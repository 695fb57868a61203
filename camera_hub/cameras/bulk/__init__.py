"""Changes of many devices or cameras at once: as jobs, with a verdict each; what cannot be changed stays as it was."""
