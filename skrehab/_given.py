"""Labels, patients, weights and numbers as people hold them, brought to what numpy holds.

A column of a table, a sparse matrix, a tensor on a GPU, a masked array, the missing values of
pandas: each is read for what it says, and never for what numpy alone would make of it.
"""

from numbers import Number

import numpy as np

__all__ = [
    "array_of",
    "column_of",
    "filled",
    "in_order",
    "is_missing",
    "missing_at",
    "refuse_mixed",
    "weights_of",
]


def array_of(item):
    """Turn what holds numbers into an array; a tensor from wherever it lies.

    Parameters
    ----------
    item : array-like
        Anything numpy reads; tensors of any dtype, device and layout; sparse matrices.

    Returns
    -------
    ndarray or numpy.ma.MaskedArray
        The values; a mask is kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._given import array_of
    >>> array_of(np.ma.masked_array([1, 2], mask=[0, 1])).filled(-1)
    array([ 1, -1])
    """
    if hasattr(item, "detach"):
        item = item.detach()
        if getattr(item, "is_quantized", False):
            item = item.dequantize()
        if str(getattr(item, "layout", "torch.strided")) != "torch.strided":
            item = item.to_dense()
        if item.dtype.is_floating_point and item.dtype.itemsize < 4:
            item = item.float()  # numpy has no bfloat16, and no float of 8 bits
        return item.cpu().numpy()
    if hasattr(item, "toarray"):
        item = item.toarray()
    if np.ma.isMaskedArray(item):
        return np.ma.asarray(item)
    array = np.asarray(item)
    # the nullable types of pandas come as objects
    if array.dtype == object and not isinstance(getattr(item, "dtype", None), np.dtype | None):
        values = array.ravel().tolist()
        if not any(map(is_missing, values)) and all(isinstance(v, Number) for v in values):
            array = np.array(values).reshape(array.shape)
    return array


def filled(item):
    """Turn what holds measurements into an array, NaN where it is masked.

    Parameters
    ----------
    item : array-like
        As of :func:`array_of`.

    Returns
    -------
    ndarray
        The values; of floats where anything is masked.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._given import filled
    >>> filled(np.ma.masked_array([1, 2], mask=[0, 1]))
    array([ 1., nan])
    """
    array = array_of(item)
    if not np.ma.isMaskedArray(array):
        return array
    return array.astype(np.promote_types(array.dtype, np.float16)).filled(np.nan)


def column_of(values, name):
    """Read the only column of a table as such; leave all else as it is.

    Parameters
    ----------
    values : object
        A table (a DataFrame) or anything.
    name : str
        What to call it in error messages.

    Returns
    -------
    object
        The column as an array, or `values`.

    Raises
    ------
    ValueError
        If a table has other than one column.
    """
    if not hasattr(values, "columns") or not hasattr(values, "shape"):
        return values
    if len(values.columns) != 1:
        raise ValueError(
            f"{name} is a table with {len(values.columns)} columns, "
            f"{list(values.columns)[:5]}: give one of them."
        )
    return array_of(values).reshape(-1)


def in_order(values):
    """Make a list of a column of a table: its item [0] is not its first, but that of index 0.

    Parameters
    ----------
    values : object
        A Series or anything; a table stays one.

    Returns
    -------
    object
        A list, or `values`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrehab._given import in_order
    >>> in_order(pd.Series([5, 6], index=[1, 0])), in_order((5, 6))
    ([5, 6], (5, 6))
    """
    return list(values) if hasattr(values, "iloc") and not hasattr(values, "columns") else values


def is_missing(value):
    """Tell whether one value is missing: None, NaN, NA, NaT, masked, or a blank word.

    Parameters
    ----------
    value : object
        A label or the name of a patient.

    Returns
    -------
    bool
        True where it says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._given import is_missing
    >>> [is_missing(v) for v in (None, np.nan, np.datetime64("NaT"), np.ma.masked, " ", 0, "no")]
    [True, True, True, True, True, False, False]
    """
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, str | bytes):
        return not value.strip()
    if hasattr(value, "__len__") and getattr(value, "ndim", 1):
        return False  # labels of frames
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # NA says neither yes nor no
        return True


def missing_at(values):
    """Find the first value that is missing.

    Parameters
    ----------
    values : sequence
        Labels, or patients.

    Returns
    -------
    int or None
        Its place; None where there is none.

    Examples
    --------
    >>> from skrehab._given import missing_at
    >>> missing_at(["P1", None]), missing_at([0, 1])
    (1, None)
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biu":
        mask = np.ma.getmaskarray(values).ravel() if np.ma.isMaskedArray(values) else ()
        return next((i for i, hidden in enumerate(mask) if hidden), None)
    return next((i for i, value in enumerate(values) if is_missing(value)), None)


def refuse_mixed(values, name):
    """Refuse words among numbers: numpy makes words of the numbers, or cannot sort them.

    Parameters
    ----------
    values : sequence
        Labels, or patients.
    name : str
        What to call them.

    Raises
    ------
    ValueError
        If both are there; the message names one of each.

    Examples
    --------
    >>> from skrehab._given import refuse_mixed
    >>> refuse_mixed(["P1", 2], "groups")
    Traceback (most recent call last):
        ...
    ValueError: groups mixes words such as 'P1' with numbers such as 2: write all of them as words.
    """
    if isinstance(values, np.ndarray) and values.dtype != object:
        return
    word = next((v for v in values if isinstance(v, str)), None)
    number = next((v for v in values if isinstance(v, Number)), None)
    if word is not None and number is not None:
        raise ValueError(
            f"{name} mixes words such as {str(word)!r} with numbers such as {number}: write all of "
            "them as words."
        )


def weights_of(values, name):
    """Read weights as numbers.

    Parameters
    ----------
    values : array-like
        Weights.
    name : str
        What to call them.

    Returns
    -------
    ndarray, dtype float
        The weights.

    Raises
    ------
    ValueError
        If one is missing or no number.
    """
    values = column_of(values, name)
    array = array_of(values)
    if np.ma.isMaskedArray(array) and np.ma.getmaskarray(array).any():
        place = "".join(f"[{i}]" for i in np.argwhere(np.ma.getmaskarray(array))[0])
        raise ValueError(f"{name}{place} is masked: every weight is needed; 0 leaves one out.")
    try:
        return np.asarray(array, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as numbers: {error}.") from error
