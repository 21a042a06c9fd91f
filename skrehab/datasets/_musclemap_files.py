"""The files of MuscleMap's clips: a video and key-points each, and what is wrong with them."""

import warnings

from skrehab.datasets._coco_files import read_coco17

__all__ = ["MODALITIES", "check_modalities", "find_files", "warn_of_left_out"]

MODALITIES = ("rgb", "pose")
_ENDS = (".npy", ".json")
_SHOWN = 10  # files in one message
_APART = 2  # frames that counts of video and key-points differ by, as programs cut the ends


def check_modalities(modalities):
    chosen = (modalities,) if isinstance(modalities, str) else tuple(modalities)
    if not chosen or set(chosen) - set(MODALITIES):
        raise ValueError(f"modalities must be some of {MODALITIES}, got {modalities!r}.")
    return chosen


def find_files(root, row, modalities, min_frames, faults):
    """Files of one clip, or None where something is wrong with them."""
    before, files = len(faults.found), dict.fromkeys(MODALITIES)
    n_frames = None
    if "rgb" in modalities:
        file, n_frames = _find_video(root, row, min_frames, faults)
        files["rgb"] = str(file)
    if "pose" in modalities:
        files["pose"] = _find_skeleton(root, row, faults)
    if n_frames is not None and files["pose"] is not None:
        _compare(row, n_frames, len(files["pose"]), faults)
    return files if len(faults.found) == before else None


def _compare(row, n_frames, n_points, faults):
    """Results leave frames without anyone out, so that the end may be missing; half of it is not.

    More key-points than frames are of another video.
    """
    if n_frames / 2 <= n_points <= n_frames + _APART:
        return
    text = f"clips/{row.clip} has {n_frames} frames and its key-points {n_points}"
    faults.add(row, "clip", f"{text}; estimate them again")


def _find_video(root, row, min_frames, faults):
    """The file of a clip, and its number of frames where that is asked for and known."""
    n_frames = None
    file = root / "clips" / row.clip
    if not file.is_file():
        faults.add(row, "clip", f"there is no clips/{row.clip}; add it or remove the row")
    elif not file.stat().st_size:
        faults.add(row, "clip", f"clips/{row.clip} is empty; copy it again")
    elif min_frames is not None:
        from skrehab.pose.seeking import count_frames

        try:
            n_frames = count_frames(file)
        except ValueError as error:  # names the file
            faults.add(row, "clip", str(error).rstrip("."))
        else:
            if n_frames < min_frames:
                faults.add(
                    row, "clip", f"clips/{row.clip} has {n_frames} frames, fewer than {min_frames}"
                )
    return file, n_frames


def _find_skeleton(root, row, faults):
    base = root / "skeletons" / row.clip
    files = [file for end in _ENDS if (file := base.with_suffix(end)).is_file()]
    place = base.with_suffix("").relative_to(root).as_posix()
    if len(files) != 1:
        text = (
            f"both {place}.npy and .json are there; keep one"
            if files
            else f"there is no {place}.npy or .json; estimate its key-points or remove the row"
        )
        faults.add(row, "clip", text)
        return None
    try:
        return read_coco17(files[0])
    except (ValueError, OSError) as error:
        faults.add(row, "clip", f"{place}{files[0].suffix}: {error}")
        return None


def warn_of_left_out(table, root, rows, modalities, faults, n_wanted):
    """Tell once what was left out, and which videos nobody listed."""
    parts = []
    if faults:
        lines = [text for _, text in faults[:_SHOWN]]
        more = len(faults) - _SHOWN
        lines += [f"and {more} more"] * (more > 0)
        n_left = len({number for number, _ in faults})
        parts.append("\n  ".join([f"{n_left} of {n_wanted} clips are left out.", *lines]))
    if "rgb" in modalities:
        listed = {row.clip for row in rows}
        found = (
            file.relative_to(root / "clips").as_posix()
            for file in sorted((root / "clips").rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        )
        others = [name for name in found if name not in listed]
        if others:
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            parts.append(
                f"No row names {len(others)} of the files in clips: "
                f"{', '.join(others[:_SHOWN])}{more}."
            )
    if parts:
        warnings.warn(f"{table}: " + "\n".join(parts), UserWarning, stacklevel=3)
