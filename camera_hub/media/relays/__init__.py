"""The relay processes: started, supervised, replaced; what they say is parsed and passed on here."""
