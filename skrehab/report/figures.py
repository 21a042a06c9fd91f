"""Turn a Figure into HTML with the picture inside."""

import base64
import io
import pathlib

from .tables import escape


def figure_html(figure):
    """Return the HTML of a figure, its picture inside as base64."""
    if not str(figure.alt or "").strip():
        raise ValueError(f"Figure {figure.caption!r} needs alt: what it shows, in a sentence.")
    data, (width, height) = _picture(figure)
    kind = "png" if data.startswith(_PNG) else "jpeg"
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    size = f' width="{width}" height="{height}"' if width else ""
    # figures about as wide as the page share its width exactly: edges line up
    wide = ' class="wide"' if width and width >= _PAGE_WIDTH else ""
    return (
        f'<figure><img src="{source}" alt="{escape(figure.alt)}"{size}{wide}>'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


_PNG = b"\x89PNG\r\n\x1a\n"
_PAGE_WIDTH = 700
_JPEG = b"\xff\xd8\xff"


def _picture(figure):
    """Return PNG or JPEG bytes and the size to show them at, in CSS pixels (96 an inch)."""
    item = figure.figure_or_png
    item = getattr(item, "figure_", item)
    if hasattr(item, "savefig"):
        buffer = io.BytesIO()
        item.savefig(buffer, format="png", dpi=figure.dpi, bbox_inches="tight", pad_inches=0.08)
        data = buffer.getvalue()
        scale = 96 / figure.dpi
    elif isinstance(item, bytes | bytearray | str | pathlib.PurePath):
        data = (
            bytes(item) if isinstance(item, bytes | bytearray) else pathlib.Path(item).read_bytes()
        )
        scale = 1.0
    else:
        raise ValueError(
            f"Figure {figure.caption!r} must be a matplotlib figure, a Display, a path or bytes; "
            f"got {type(item).__name__}."
        )
    if data.startswith(_PNG):
        # the size is in the IHDR chunk, right after the signature
        sides = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        return data, tuple(round(side * scale) for side in sides)
    if data.startswith(_JPEG):
        return data, (None, None)
    raise ValueError(f"Figure {figure.caption!r} is neither a PNG nor a JPEG picture.")
