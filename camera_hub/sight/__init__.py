"""Picture checks: pure functions, images in, scores out. The one home of OpenCV.

Images have the shape (height, width, 3), BGR, or (height, width), grey, with 8 bits per channel. Scores are 0 … 100;
below 60 is a fault (the video quality diagnosis classes of Chinese platforms); what cannot be judged has no score.

- `picture_check`: all checks of one key frame, with what is remembered of those before it
- `view`: one pass over a picture, shared by the checks
- `signal_loss`: black, no signal
- `exposure`: overexposed, underexposed, low contrast
- `sharpness`: blurred, covered
- `interference`: noisy, striped
- `colour`: by day or by night; colour cast
- `reference`: the camera's own normal; moved
- `freeze`, `memory`: the same picture again; what is kept from one key frame to the next
- `scoring`: from a measured value to a score
- `likeness`: two pictures show the same place
- `images`: grey, without captions, scaled, as JPEG
"""
