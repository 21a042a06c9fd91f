"""One statement of the parameters that a family of networks shares.

A network whose constructor ends in ``**shared`` takes what its base class takes besides. What it
takes stays plain to read, for the registry, for ``help`` and for the documentation: its signature
lists its own parameters, then those of the base, with the defaults that are its own, and its
docstring explains those of the base in the base's words where it has none of its own.
"""

import inspect
import re

__all__ = ["merge_signatures"]

_SECTION = "Parameters\n----------\n"


def merge_signatures(cls):
    """Write the base's parameters into the signature and docstring of a class that passes them on.

    Parameters
    ----------
    cls : type
        Class whose ``__init__`` may end in ``**shared``. Its keyword parameters come first; one
        that the base has as well stands in the base's place, with the default of the subclass.

    Examples
    --------
    >>> import inspect
    >>> from skrehab.networks._signature import merge_signatures
    >>> class Base:
    ...     def __init__(self, *, size=1, depth=2): ...
    >>> class Deep(Base):
    ...     def __init__(self, n_outputs, *, windows=(3,), depth=8, **shared): ...
    >>> merge_signatures(Deep)
    >>> inspect.signature(Deep)
    <Signature (n_outputs, *, windows=(3,), size=1, depth=8)>
    """
    if "__init__" not in vars(cls):
        return
    own = inspect.signature(cls.__init__)
    parameters = own.parameters
    if not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    base = inspect.signature(super(cls, cls).__init__).parameters
    keyword = {name: one for name, one in base.items() if one.kind is one.KEYWORD_ONLY}
    merged = [one for one in parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    stated = {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}
    merged += [one for name, one in stated.items() if name not in keyword]
    merged += [stated.get(name, one) for name, one in keyword.items()]
    cls.__init__.__signature__ = own.replace(parameters=merged)
    _merge_docstrings(cls, merged)


def _merge_docstrings(cls, parameters):
    """Explain every parameter, in the order of the signature."""
    parent = next(one for one in cls.__mro__[1:] if "__init__" in vars(one))
    if not (cls.__doc__ and parent.__doc__):  # none, under python -OO
        return
    before, own, after = _parameter_section(cls.__doc__)
    _, of_base, _ = _parameter_section(parent.__doc__)
    explained = {name: text for text in own for name in _names(text)}
    for text in of_base:
        for name in _names(text):
            explained.setdefault(name, _with_default(text, name, parameters))
    texts = dict.fromkeys(explained[one.name] for one in parameters if one.name in explained)
    cls.__doc__ = f"{before}{_SECTION}{''.join(texts)}\n{after}\n"


def _parameter_section(docstring):
    """Take a docstring apart: what precedes its parameters, a text for each, what follows."""
    docstring = inspect.cleandoc(docstring) + "\n\n"
    before, _, rest = docstring.partition(_SECTION)
    section, _, after = rest.partition("\n\n")
    return before, re.findall(r"^\S.*\n(?: .*\n|\n(?= ))*", section + "\n", re.M), after.rstrip()


def _names(text):
    """List the parameters that one text is about."""
    return [name.strip() for name in text.partition(" : ")[0].split(",")]


def _with_default(text, name, parameters):
    """Say the default that a class has instead of its base's."""
    own = {one.name: one.default for one in parameters}
    head, line, body = text.partition("\n")
    if name in own:
        default = repr(own[name]).replace("'", '"')
        head = re.sub(r"default=.*$", lambda _: f"default={default}", head)
    return head + line + body
