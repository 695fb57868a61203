"""`camera-hub bench sight`: how well picture faults are found, and how rarely one is found where there is none.

- `scenes`: places as drawings (by seed), as the simulator draws them, and as photographs of a folder
- `weather`: what is no fault: rain, snowfall, headlights, insects, spider threads, dusk …
- `faults`: what is one, by steps
- `footage`: pictures through a real H.264 encoder
- `trials`: the labelled set: which scene, with what, at which bit rate, with a reference or without
- `outcome`: precision, recall, points of the ROC curve
- `run`: from the set to JSON lines
"""
