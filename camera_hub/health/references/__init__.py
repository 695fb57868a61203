"""Reference pictures: what a camera's picture is compared with, one by day and one by night.

- `learning` (pure): which pictures of the last days make a reference; which difference lasts, so that a person is
  asked.
- `book`: what is known of every camera, in memory, and stored every few seconds.
- `compared_looks`: looks as rounds make them, compared with the references, and what is learnt from them.
- `references`: as people read and answer them.
"""
