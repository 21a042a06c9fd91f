"""What drawn clips share: they know their shape before a frame is drawn."""

import numpy as np

__all__ = ["DrawnClip"]


class DrawnClip:
    """A clip of uint8 RGB frames; how they are drawn is the subclass's affair.

    Parameters
    ----------
    clip : dict
        Plan of the clip, from the data set's ``plan_clips``.
    n_frames, size : int
        Frames, and their width and height in pixels.
    frame_rate : float
        Frames a second.
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, clip, n_frames, size, frame_rate):
        self.clip, self.n_frames, self.size, self.frame_rate = clip, n_frames, size, frame_rate

    @property
    def shape(self):
        """Shape of the frames: (n_frames, height, width, 3)."""
        return (self.n_frames, self.size, self.size, 3)

    def __len__(self):
        return self.n_frames
