"""Tours and the scenes that they show. Owns the tables scenes, tours and tour_stops."""
