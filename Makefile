# Two commands for a fresh machine with Python >= 3.11, pip and make:
#   make demo   runs the main job on synthetic patients -> skrehab-demo/report.html
#   make test   runs the test suite
# Another Python: make demo PYTHON=python3.12; .venv is then made anew.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One torch thread: two threads on two shared cores are erratic and up to 40 times slower.
export OMP_NUM_THREADS := 1

.PHONY: demo test test-oldest lint docs evidence-quick dist-check clean FORCE

# written again only where .venv was made: what depends on it is then installed again
$(VENV)/.python: FORCE
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine. skrehab\
	 needs Python 3.11 or later: name one, as in make demo PYTHON=python3.11"; exit 1; }
	@$(PYTHON) .ci/environment.py $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.python
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/skrehab demo

# a process for each core; the tests of one file stay together, and with them what they fit
test: $(VENV)/.installed
	$(BIN)/python -m pytest -q -n auto --dist loadfile

# beside the oldest packages that pyproject.toml allows, in an environment of its own
test-oldest:
	$(PYTHON) .ci/oldest.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.installed
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

# the headline rows of docs/evidence.rst for two of the ten people, computed anew
evidence-quick: $(VENV)/.installed
	$(BIN)/python benchmarks/uiprmd_weak.py --people 2,7 --units floors,truth,ours,published-act \
		--folder skrehab-evidence

# Build both distributions and try each in a fresh environment of every Python from 3.11 to 3.13
# that is found. It installs torch for each; DIST_CHECK=--light leaves torch and MediaPipe away, and
# DIST_CHECK="--light --reuse .venv" takes what .venv has for the Python of .venv; see .ci/run.
dist-check:
	$(PYTHON) .ci/dist_check.py $(DIST_CHECK)

clean:
	rm -rf $(VENV) skrehab-demo skrehab-evidence docs/_build docs/generated docs/gallery dist
