"""Pure functions: images in, scores out. The only home of cv2. May import the ground floor only."""
