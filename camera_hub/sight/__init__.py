"""Picture checks: pure functions, images in, scores out. The one home of OpenCV.

Images have the shape (height, width, 3), BGR, or (height, width), grey, with 8 bits per channel. Scores are 0 … 100;
below 60 is a fault (the video quality diagnosis classes of Chinese platforms); what cannot be judged has no score.

- `picture_check`: all checks of one key frame, with what is remembered of those before it
- `black`: nothing can be made out
- `freeze`: two key frames are the same picture
- `likeness`: two pictures show the same place
- `images`: grey, without captions, scaled, as JPEG
"""
