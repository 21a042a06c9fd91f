"""Limbs to mask come from the skeleton that the encoder reads."""

import pytest

from skrehab.pretraining.limbs import limbs_to_mask
from skrehab.skeletons import get_skeleton


def test_limbs_are_those_of_the_common_skeleton_where_there_is_one():
    own = limbs_to_mask("inpaint", 33)
    common = limbs_to_mask("pace+inpaint", 33, common_skeleton="common15")
    assert max(map(max, own)) > 14 >= max(map(max, common))
    assert common == [list(limb) for limb in get_skeleton("common15").limbs.values()]


def test_unknown_skeletons_matter_only_where_limbs_are_masked():
    assert limbs_to_mask("reconstruct", 7) == []
    with pytest.raises(ValueError, match=r"objective='inpaint' masks limbs.*7 landmarks"):
        limbs_to_mask("inpaint", 7)
