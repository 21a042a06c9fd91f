"""Read XML that may come from anywhere: no document type, no entities, nothing fetched."""

from xml.etree.ElementTree import TreeBuilder, indent, tostring
from xml.parsers import expat

from skrehab._written import written
from skrehab.formats._bounds import MAX_DEPTH, MAX_ELEMENTS, MAX_XML_BYTES, quoted, read_bytes

_MAX_BYTES = MAX_XML_BYTES


def read_xml(path, root, what, takers):
    """Read an XML file, and hand over the elements that are wanted, one at a time.

    Nothing else of the file is kept. A document type declaration is refused, and with it every
    entity of the file's own: the bombs that grow in memory and the references to other files.

    Parameters
    ----------
    path : str or path-like
        The file.
    root : str
        The tag that its first element must have.
    what : str
        What such a file is called, for the error.
    takers : dict of tuple of str to callable
        Tags below the root, the last of them perhaps ``"*"``; and what takes such an element (an
        ElementTree element with its children) and the attributes of those it lies in, from the
        root on.

    Raises
    ------
    ValueError
        If it is no XML of this kind, or more than it may be.
    """
    data = read_bytes(path, _MAX_BYTES, "annotations")
    tags, parents = [], []
    builder, taker, n_elements, first = None, None, 0, root

    def start(tag, attributes):
        nonlocal builder, taker, n_elements, first
        n_elements += 1
        if n_elements > MAX_ELEMENTS:
            raise ValueError(
                f"line {parser.CurrentLineNumber}: it has more than {MAX_ELEMENTS:,} elements"
            )
        tags.append(tag)
        if len(tags) == 1:
            first = tag
        if len(tags) > MAX_DEPTH:
            raise ValueError(
                f"line {parser.CurrentLineNumber}: its elements are nested more than "
                f"{MAX_DEPTH} deep"
            )
        if builder is None:
            below = tuple(tags[1:])
            taker = takers.get(below) or takers.get((*below[:-1], "*"))
            if first == root and below and taker is not None:
                builder, taker = TreeBuilder(), (taker, len(tags))
        if builder is None:
            parents.append(attributes)
        else:
            builder.start(tag, attributes)

    def text(content):
        if builder is not None:
            builder.data(content)

    def end(tag):
        nonlocal builder
        if builder is None:
            parents.pop()
        else:
            builder.end(tag)
            take, depth = taker
            if len(tags) == depth:
                element, builder = builder.close(), None
                take(element, parents)
        tags.pop()

    def refuse(*_):
        raise ValueError("it declares a document type or entities, which annotations do not need")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(data, True)  # at once: in pieces, one long token would be read again and again
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise ValueError(f"it is not XML ({error})") from error
    if first != root:
        raise ValueError(f"it is no {what} file: its root is {quoted(first)}")


def write_xml(path, root):
    """Write an element and what is in it."""
    indent(root)
    with written(path) as file:
        file.write(tostring(root, encoding="UTF-8", xml_declaration=True))


def xml_safe(text):
    """Refuse characters that XML cannot hold."""
    allowed = "\t\n\r"
    bad = [
        c
        for c in text
        if (c < " " and c not in allowed) or 0xD800 <= ord(c) < 0xE000 or c in "\ufffe\uffff"
    ]
    if bad:
        raise ValueError(f"{text!r} holds {bad[0]!r}, which XML cannot")
    return text
