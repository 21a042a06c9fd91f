"""Give poses away without the patient's name: landmarks, times, and a code."""

import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

import numpy as np

from skrehab._written import written

__all__ = ["export_pose", "patient_code"]

_LEAST_SALT = 16


def patient_code(patient, salt):
    """Make a code of a patient's identifier that only the holder of the salt can make again.

    HMAC-SHA256 of the identifier under the salt, its first 128 bits. Without the salt, trying all
    identifiers of a hospital leads nowhere; so keep the salt as you keep the list of names, and use
    one salt per study: the same patient then has the same code in all of its files.

    Parameters
    ----------
    patient : str or int
        Identifier; the spelling counts, spaces around it do not.
    salt : bytes or str
        A secret of at least 16 bytes, such as ``secrets.token_bytes(32)``.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    ValueError
        If the salt is short, or the identifier empty.

    References
    ----------
    H. Krawczyk, M. Bellare, R. Canetti, "HMAC: Keyed-Hashing for Message Authentication", RFC 2104.

    Examples
    --------
    >>> from skrehab.pose import patient_code
    >>> patient_code("P01", salt="a secret of the study, kept apart")
    '3ace2b7be569ee23bcd13ca2d9a746dc'
    """
    salt = salt.encode() if isinstance(salt, str) else bytes(salt)
    if len(salt) < _LEAST_SALT:
        raise ValueError(
            f"The salt must have at least {_LEAST_SALT} bytes, got {len(salt)}: identifiers of "
            "patients are easily guessed. Make one with secrets.token_bytes(32), and keep it."
        )
    name = unicodedata.normalize("NFC", str(patient)).strip()
    if not name:
        raise ValueError("The patient's identifier is empty.")
    return hmac.new(salt, name.encode(), hashlib.sha256).hexdigest()[:32]


def export_pose(track, path, *, patient, salt):
    """Write a pose track with nothing in it but landmarks, times and a salted patient code.

    The name of the video, its date and its clock are left out; the times start at 0. The file can
    be read as those of ``skrehab pose`` can.

    Parameters
    ----------
    track : PoseTrack
        From :func:`extract_pose`.
    path : str or path-like
        The ``.npz`` file to write: ``world`` and ``image`` (n_frames, 33, 4), ``timestamps``
        (n_frames,) in seconds, ``size`` (width, height) in pixels, and ``patient``, a code. The
        file's own name is yours to choose.
    patient : str or int
        Identifier of the patient.
    salt : bytes or str
        See :func:`patient_code`.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If the salt is short, the identifier is empty or a word of the file's name, or the file is
        no ``.npz``.

    Notes
    -----
    This is pseudonymous, not anonymous: somebody may be known by body proportions and by a way of
    moving.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from skrehab.pose import PoseTrack, export_pose
    >>> landmarks = np.zeros((4, 33, 4), dtype=np.float32)
    >>> track = PoseTrack("mr_smith.mp4", 7 + np.arange(4) / 30, landmarks, landmarks, 640, 480)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_pose(track, folder + "/a.npz", patient="Smith", salt="s" * 32)
    ...     data = dict(np.load(path))
    >>> sorted(data), data["timestamps"][0].item()
    (['image', 'patient', 'size', 'timestamps', 'world'], 0.0)
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise ValueError(f"path must be an .npz file, got {path}.")
    code = patient_code(patient, salt)
    name = re.escape(str(patient).strip().casefold())
    if re.search(rf"(?<![^\W_]){name}(?![^\W_])", path.stem.casefold()):
        raise ValueError(
            f"The file's name {path.name} says who the patient is ({patient}); use the code."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as file:
        np.savez_compressed(
            file,
            world=np.asarray(track.world, dtype=np.float32),
            image=np.asarray(track.image, dtype=np.float32),
            timestamps=track.timestamps - track.timestamps[0],
            size=np.array([track.width, track.height]),
            patient=np.array(code),
        )
    return path
