"""Pages and their tiles: who may watch what, which stream a tile is shown, and what the page is told of it."""
