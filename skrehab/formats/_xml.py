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
    way = _tree(takers)
    ways, parents = [], []  # of the elements that are open and not taken
    builder, take, first = None, None, None
    depth = taken_at = n_elements = 0

    def start(tag, attributes):
        nonlocal builder, take, first, depth, taken_at, n_elements
        n_elements += 1
        depth += 1
        if n_elements > MAX_ELEMENTS or depth > MAX_DEPTH:
            raise ValueError(
                f"line {parser.CurrentLineNumber}: "
                + (
                    f"its elements are nested more than {MAX_DEPTH} deep"
                    if depth > MAX_DEPTH
                    else f"it has more than {MAX_ELEMENTS:,} elements"
                )
            )
        if builder is None:
            if depth == 1:
                first = tag
                below = way if tag == root else {}
            else:
                below = ways[-1].get(tag) or ways[-1].get("*") or {}
            if not callable(below):
                ways.append(below)
                parents.append(attributes)
                return
            take, taken_at, builder = below, depth, TreeBuilder()
            parser.CharacterDataHandler = builder.data
        builder.start(tag, attributes)

    def end(tag):
        nonlocal builder, depth
        if builder is None:
            ways.pop()
            parents.pop()
        else:
            builder.end(tag)
            if depth == taken_at:
                element, builder = builder.close(), None
                parser.CharacterDataHandler = None
                take(element, parents)
        depth -= 1

    def refuse(*_):
        raise ValueError("it declares a document type or entities, which annotations do not need")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse
    try:
        parser.Parse(data, True)  # at once: in pieces, one long token would be read again and again
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise ValueError(f"it is not XML ({error})") from error
    if first != root:
        raise ValueError(f"it is no {what} file: its root is {quoted(first)}")


def _tree(takers):
    """Turn ways from the root into a tree of dicts, with a taker at the end of each."""
    out = {}
    for way, take in takers.items():
        at = out
        for tag in way[:-1]:
            at = at.setdefault(tag, {})
        at[way[-1]] = take
    return out


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
