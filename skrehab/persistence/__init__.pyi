# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.persistence.folder import MAX_JSON_BYTES as MAX_JSON_BYTES
from skrehab.persistence.folder import MAX_WEIGHT_BYTES as MAX_WEIGHT_BYTES
from skrehab.persistence.hub import from_pretrained as from_pretrained
from skrehab.persistence.reading import load as load
from skrehab.persistence.reading import load_files as load_files
from skrehab.persistence.cards import model_card as model_card
from skrehab.persistence.hub import push_to_hub as push_to_hub
from skrehab.persistence.folder import read_metadata as read_metadata
from skrehab.persistence.writing import save as save
from skrehab.persistence.cards import tells_enough as tells_enough
