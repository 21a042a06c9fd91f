"""What a video network wants to be shown."""

from dataclasses import dataclass

__all__ = ["IMAGENET", "KINETICS_RESNET", "KINETICS_SLOWFAST", "ClipRecipe"]

MOTIONS = (None, "difference", "flow")


@dataclass(frozen=True)
class ClipRecipe:
    """How the frames of a video become the clip that a network was made for.

    Parameters
    ----------
    n_frames : int
        Frames of a clip.
    resize : int or tuple of int
        Side to which the shorter side of the pictures is scaled, or (height, width).
    crop : int
        Side of the square cut from the middle.
    mean, std : tuple of float
        Subtracted from, and dividing, red, green and blue in [0, 1].
    stride : int, optional
        Distance of the clip's frames in the video; None spreads them evenly over all of it, which
        is what a label for the whole video asks for.
    antialias : bool, default=False
        Smooth pictures before they are made smaller. The published networks saw pictures that were
        not, hence the default.
    motion : {"difference", "flow"}, optional
        Show what moved between each frame and the next one of the video instead of the frame: the
        difference of their colours, or the optical flow; see :mod:`skrehab.training.motion`.

    Examples
    --------
    >>> from skrehab.networks.rgb._clip_recipe import IMAGENET, ClipRecipe
    >>> ClipRecipe(16, 256, 224, **IMAGENET).shape
    (3, 16, 224, 224)
    """

    n_frames: int
    resize: int | tuple
    crop: int
    mean: tuple
    std: tuple
    stride: int | None = None
    antialias: bool = False
    motion: str | None = None

    def __post_init__(self):
        if self.motion not in MOTIONS:
            raise ValueError(f"motion must be one of {MOTIONS}, got {self.motion!r}.")

    @property
    def shape(self):
        """Shape of a clip: channels, frames, height, width."""
        return (3, self.n_frames, self.crop, self.crop)


# channel statistics that published weights were trained with
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
KINETICS_RESNET = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
KINETICS_SLOWFAST = {"mean": (0.45, 0.45, 0.45), "std": (0.225, 0.225, 0.225)}
