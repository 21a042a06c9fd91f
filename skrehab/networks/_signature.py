"""One statement of the parameters that a family of networks shares.

A network whose constructor ends in ``**shared`` takes what its base class takes besides. What it
takes stays plain to read by machine, for the registry, for ``help`` and for the documentation: its
signature lists its own parameters, then those of the base, with the defaults that are its own.
"""

import inspect

__all__ = ["merge_signatures"]


def merge_signatures(cls):
    """Write the base's parameters into the signature of a class whose constructor passes them on.

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
