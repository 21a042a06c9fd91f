"""Settings of a QualityRegressor that contradict each other."""

__all__ = ["check_settings"]


def check_settings(regressor):
    """Refuse settings that contradict each other.

    Parameters
    ----------
    regressor : skrehab.QualityRegressor
        Whose parameters are looked at.

    Raises
    ------
    ValueError
        If they do; the message says which.

    Examples
    --------
    >>> from skrehab import QualityRegressor
    >>> from skrehab.quality.settings import check_settings
    >>> check_settings(QualityRegressor())
    """
    if regressor.streams == "appearance" and regressor.encoder is not None:
        raise ValueError("streams='appearance' looks at no pose: encoder must be None.")
    if regressor.streams != "pose" and not regressor.expert:
        raise ValueError("expert=False is a linear layer on poses: streams must be 'pose'.")
    if regressor.encoder == "scratch" and not regressor.fine_tune:
        raise ValueError("An encoder from scratch must be trained: fine_tune must be True.")
    if regressor.encoder_params is not None and regressor.encoder != "scratch":
        raise ValueError("encoder_params are for encoder='scratch'.")
    if regressor.class_weight is not None and regressor.head == "regression":
        raise ValueError("class_weight needs classes: head='regression' has none.")
