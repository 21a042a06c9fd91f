"""Read XML that may come from anywhere: no document type, no entities, nothing fetched."""

from pathlib import Path
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

_MAX_BYTES = 64 * 2**20
_MAX_DEPTH = 100


def parse_xml(path):
    """Parse an XML file into an ElementTree element.

    A document type declaration is refused, and with it every entity of the file's own: the bombs
    that grow in memory and the references to other files.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise ValueError(f"it is too large for annotations: {size} bytes")
    builder, depth = TreeBuilder(), 0

    def start(tag, attributes):
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"its elements are nested more than {_MAX_DEPTH} deep")
        builder.start(tag, attributes)

    def end(tag):
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_):
        raise ValueError("it declares a document type or entities, which annotations do not need")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise ValueError(f"it is not XML ({error})") from error
    return builder.close()


def xml_safe(text):
    """Refuse characters that XML cannot hold."""
    allowed = "\t\n\r"
    bad = [c for c in text if (ord(c) < 32 and c not in allowed) or ord(c) in (0xFFFE, 0xFFFF)]
    if bad:
        raise ValueError(f"{text!r} holds {bad[0]!r}, which XML cannot")
    return text
