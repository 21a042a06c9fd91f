"""The rows of Nekoui & Cheng's Table 1 as parameters of our estimators."""

__all__ = ["table1_settings"]


def table1_settings():
    """Name the rows of the paper's Table 1: full model and ablations.

    Returns
    -------
    dict of str to dict
        For each row ``"objective"``, of the :class:`skrehab.PoseSequencePretrainer` whose encoder
        is given, None where none is pretrained; and ``"regressor"``, parameters of
        :class:`skrehab.QualityRegressor`. Streams are left to the caller, who may have no videos;
        the rows without expert read poses only.

    Notes
    -----
    "Only expert" is the full network with an encoder of random weights, trained with the rest.
    "Only non-expert" is a linear layer on the mean representation, with the pretrained encoder kept
    (U), an encoder from scratch (S), or the pretrained encoder trained further (U+S). The row "C3D
    as expert" is not described in the text, so it is not here.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, Table 1 and section 4.2.

    Examples
    --------
    >>> from skrehab.quality.ablations import table1_settings
    >>> table1_settings()["only non-expert (S)"]
    {'objective': None, 'regressor': {'encoder': 'scratch', 'expert': False, 'streams': 'pose'}}
    """
    linear = {"expert": False, "streams": "pose"}
    both = "pace+inpaint"
    return {
        "full": {"objective": both, "regressor": {}},
        "only expert": {"objective": None, "regressor": {"encoder": "scratch"}},
        "only non-expert (U)": {"objective": both, "regressor": {"fine_tune": False} | linear},
        "only non-expert (S)": {"objective": None, "regressor": {"encoder": "scratch"} | linear},
        "only non-expert (U+S)": {"objective": both, "regressor": linear},
        "without inpainting": {"objective": "pace", "regressor": {}},
        "without pace": {"objective": "inpaint", "regressor": {}},
    }
