"""Skeletons: what each landmark is called, how landmarks are joined, which are left and right."""

from dataclasses import dataclass, field

from skrehab.skeletons.bones import bone_name, bone_pairs, bone_tree

__all__ = ["Skeleton", "bone_skeleton", "get_skeleton", "guess_skeleton", "list_skeletons"]

BONES = "_bones"  # "mediapipe33_bones" is the skeleton whose landmarks are mediapipe33's bones


@dataclass(frozen=True)
class Skeleton:
    """A named set of landmarks and how they are joined.

    Parameters
    ----------
    name : str
        Registry name.
    landmarks : tuple of str
        Landmark names in column order.
    parents : tuple of int
        Parent of each landmark in a spanning tree, ``-1`` for the root.
    edges : tuple of (int, int)
        Lines to draw and to build graphs from; more than the tree where the source has more.
    pairs : tuple of (int, int)
        (left, right) landmarks of the same kind.
    limbs : dict of str to tuple of int
        Landmarks of ``left_arm, right_arm, left_leg, right_leg``.
    trunk : tuple of int
        Landmarks of shoulders and hips, whose mean stands for where the person is.
    axes : str
        Directions of x, y and z.
    directions : tuple of int
        The same for conversion: +1 where x points to the image's right, y down and z away from a
        camera that the person faces, -1 where they point the other way. Two entries mean a flat
        skeleton, whose third coordinate is a score.
    units : str
        Unit of the coordinates.
    limb_bones : tuple of ((int, ...), (int, ...))
        Bones of limbs and trunk in a fixed order, each from one joint to another. A joint is the
        mean of its landmarks: one, or two where the sensor shows no joint, as halfway between the
        hips. Eyes, ears, mouth, fingers and toes are left out: the direction of a short bone is
        noise.
    flipped : tuple of int
        Of a skeleton of bones: those that point the other way in a mirror, as from the left
        shoulder to the right one.

    Examples
    --------
    >>> from skrehab.skeletons import get_skeleton
    >>> skeleton = get_skeleton("mediapipe33")
    >>> skeleton.landmarks[11], skeleton.n_landmarks
    ('left_shoulder', 33)
    """

    name: str
    landmarks: tuple
    parents: tuple
    edges: tuple
    pairs: tuple
    limbs: dict = field(hash=False)
    trunk: tuple
    axes: str
    directions: tuple
    units: str
    limb_bones: tuple = ()
    flipped: tuple = ()

    @property
    def mirrored(self):
        """Landmark on the other side of the body for each landmark; itself in the middle."""
        twin = dict(self.pairs) | {right: left for left, right in self.pairs}
        return tuple(twin.get(i, i) for i in range(self.n_landmarks))

    @property
    def n_landmarks(self):
        """Number of landmarks."""
        return len(self.landmarks)

    @property
    def n_dims(self):
        """Number of spatial coordinates, 2 or 3; any coordinate after them is a score."""
        return len(self.directions)

    def index(self, landmark):
        """Return the column of a landmark.

        Parameters
        ----------
        landmark : str
            Its name.

        Returns
        -------
        int
            Its index in a trial's second axis.

        Raises
        ------
        ValueError
            If this skeleton has no such landmark.
        """
        if landmark not in self.landmarks:
            raise ValueError(f"{self.name} has no landmark {landmark!r}; it has {self.landmarks}.")
        return self.landmarks.index(landmark)


_REGISTRY = {}  # filled by skrehab.skeletons.table


def get_skeleton(name):
    """Look a skeleton up by name.

    Parameters
    ----------
    name : str or Skeleton
        One of :func:`list_skeletons`, or one of them followed by ``_bones`` for
        :func:`bone_skeleton` of it; a Skeleton is returned as it is.

    Returns
    -------
    Skeleton
        The skeleton.

    Raises
    ------
    ValueError
        If the name is not registered.

    Examples
    --------
    >>> from skrehab.skeletons import get_skeleton
    >>> get_skeleton("coco17").pairs[0]
    (1, 2)
    """
    if isinstance(name, Skeleton):
        return name
    if isinstance(name, str) and name.removesuffix(BONES) in _REGISTRY and name.endswith(BONES):
        return bone_skeleton(name.removesuffix(BONES))
    if name not in _REGISTRY:
        raise ValueError(f"Unknown skeleton {name!r}: known are {list_skeletons()}.")
    return _REGISTRY[name]


def bone_skeleton(skeleton):
    """Make the skeleton whose landmarks are the bones of limbs and trunk of another one.

    It names the bones that :class:`skrehab.BoneVectors` gives, for Displays and for mirroring.

    Parameters
    ----------
    skeleton : str or Skeleton
        The skeleton of the landmarks.

    Returns
    -------
    Skeleton
        One landmark for each of ``limb_bones``; bones that meet in a joint are joined.

    Raises
    ------
    ValueError
        If the skeleton has no list of bones, as one of your own without ``limb_bones``.

    Examples
    --------
    >>> from skrehab.skeletons import bone_skeleton
    >>> bones = bone_skeleton("mediapipe33")
    >>> bones.n_landmarks, bones.landmarks[:3]
    (16, ('left_shoulder_to_right_shoulder', 'left_shoulder_to_elbow', 'right_shoulder_to_elbow'))
    """
    whole = get_skeleton(skeleton)
    bones = whole.limb_bones
    if not bones:
        raise ValueError(f"{whole.name} has no limb_bones: give it an ordered list of them.")

    pairs, flipped = bone_pairs(whole.landmarks, whole.mirrored, bones)
    parents, edges = bone_tree(bones)
    inside = {
        limb: tuple(i for i, bone in enumerate(bones) if set(sum(bone, ())) <= set(members))
        for limb, members in whole.limbs.items()
    }
    of_limbs = sum(inside.values(), ())
    return Skeleton(
        name=whole.name + BONES,
        landmarks=tuple(bone_name(whole.landmarks, *bone) for bone in bones),
        parents=parents,
        edges=edges,
        pairs=tuple(pairs),
        limbs=inside,
        trunk=tuple(i for i in range(len(bones)) if i not in of_limbs),
        axes=whole.axes,
        directions=whole.directions,
        units="directions of length 1",
        flipped=tuple(flipped),
    )


def guess_skeleton(n_landmarks, n_coords):
    """Find the registered skeleton that trials of some shape have.

    Parameters
    ----------
    n_landmarks : int
        Landmarks of a trial.
    n_coords : int
        Coordinates of a landmark, which settles it where several skeletons have as many landmarks:
        those in space and, at most, a score.

    Returns
    -------
    Skeleton
        The one that fits; the first of those that differ in their name only.

    Raises
    ------
    ValueError
        If none fits, or several with different landmarks do, as Kinect's and OpenPose's 25 with
        three values each.

    Examples
    --------
    >>> from skrehab.skeletons import guess_skeleton
    >>> guess_skeleton(33, 4).name, guess_skeleton(25, 2).name
    ('mediapipe33', 'openpose25')
    """
    known = [one for _, one in sorted(_REGISTRY.items()) if one.n_landmarks == n_landmarks]
    fits = [one for one in known if n_coords in (one.n_dims, one.n_dims + 1)] or known
    if fits and all(one.landmarks == fits[0].landmarks for one in fits):
        return fits[0]
    names = [one.name for one in fits]
    what = f"Several skeletons may be meant: {names}" if fits else "No registered skeleton fits"
    raise ValueError(
        f"Trials of {n_landmarks} landmarks with {n_coords} coordinates: {what}. Name the skeleton "
        f"(known are {list_skeletons()}), give bones=[(start, end), ...], or describe movement by "
        "displacements, which need no skeleton."
    )


def list_skeletons():
    """List the registered skeletons.

    Returns
    -------
    list of str
        Names for :func:`get_skeleton`.

    Examples
    --------
    >>> from skrehab.skeletons import list_skeletons
    >>> list_skeletons()
    ['coco17', 'common15', 'h36m17', 'kinect20', 'kinect25', 'mediapipe33', 'mpose13', ...]
    """
    return sorted(_REGISTRY)
