"""Whether a video file ends before it should, or goes on after its end; FFmpeg says neither."""

import os

__all__ = ["ends_early", "ends_in_a_packet", "holds_another"]

# lengths of the packets of a transport stream, and where in one its mark stands: broadcast, cameras
_PACKETS = ((188, 0), (192, 4), (204, 0))
_MARK = 0x47
_MOST_BOXES = 1000  # of a file that is not in fragments; it has about five
_FLV_TAGS = (8, 9, 18)  # sound, picture, data


def ends_early(path):
    """Tell whether a file has fewer bytes than it states, or ends in the middle of a picture.

    FFmpeg finds the cut itself in MP4 and QuickTime files. Of Matroska and WebM, AVI and Flash it
    plays what is there.

    Parameters
    ----------
    path : Path
        A video file.

    Returns
    -------
    bool
        Whether it was cut; False for kinds that do not tell.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(1024)
        if start.startswith(b"\x1a\x45\xdf\xa3"):
            return _matroska(file, size)
        if start.startswith(b"RIFF") and start[8:12] == b"AVI ":
            return 8 + int.from_bytes(start[4:8], "little") > size
        if start.startswith(b"FLV\x01"):
            return _flash(file, size)
    return False


def ends_in_a_packet(path):
    """Tell whether a transport stream was cut; it states no length, and its packets have one.

    Parameters
    ----------
    path : Path
        A video file.

    Returns
    -------
    bool
        Whether its last packet is not whole; False for other files.
    """
    with open(path, "rb") as file:
        start = file.read(1024)
    for length, mark in _PACKETS:
        if len(start) > 4 * length and all(start[mark + k * length] == _MARK for k in range(5)):
            return path.stat().st_size % length != 0
    return False


def holds_another(path):
    """Tell whether a second MP4 or QuickTime film was put behind the first, which alone is played.

    Parameters
    ----------
    path : Path
        A video file.

    Returns
    -------
    bool
        Whether the file has a second index. ISO/IEC 14496-12, section 4.2: boxes.
    """
    size, at, found = path.stat().st_size, 0, []
    with open(path, "rb") as file:
        for _ in range(_MOST_BOXES):
            file.seek(at)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4]), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:])
            if len(head) < 8 or length < 8 or (at == 0 and kind != b"ftyp"):
                break
            found.append(kind)
            at += length
            if at >= size:
                break
    return found.count(b"moov") > 1 and b"moof" not in found


def _matroska(file, size):
    file.seek(4)
    file.seek(_ebml_size(file) or 0, os.SEEK_CUR)
    segment = file.read(4) == b"\x18\x53\x80\x67"
    stated = _ebml_size(file) if segment else None
    return stated is not None and file.tell() + stated > size


def _ebml_size(file):
    """Read a size of 1 to 8 bytes, as many as the first has leading zeros and one; None: unknown.

    RFC 8794, section 4.
    """
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1)) & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


def _flash(file, size):
    """Whether the last tag is not whole: after each one stands how long it was, head and data."""
    if size < 13 + 15:
        return True
    file.seek(size - 4)
    length = int.from_bytes(file.read(4))
    if not 11 <= length <= size - 4 - 13:
        return True
    file.seek(size - 4 - length)
    head = file.read(4)
    return head[0] & 31 not in _FLV_TAGS or int.from_bytes(head[1:]) != length - 11
