"""Pure functions: images in, scores out. The one home of OpenCV.

Images are (height, width, 3) BGR or (height, width) grey, 8 bits. Scores run from 0 to 100; below 60 is a fault
(the video quality diagnosis classes of Chinese platforms); None means that it could not be judged.
"""
