"""Pages and their tiles: who may see what, which stream a tile is shown, and what the page is told."""
