# Two commands for a fresh machine with Python >= 3.11, pip and make:
#   make demo   runs the main job on synthetic patients -> skrehab-demo/report.html
#   make test   runs the test suite
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One torch thread: two threads on two shared cores are erratic and up to 40 times slower.
export OMP_NUM_THREADS := 1

.PHONY: demo test lint docs evidence-quick clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/skrehab demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest -q

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.installed
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

# the headline rows of docs/evidence.rst for two of the ten people, computed anew
evidence-quick: $(VENV)/.installed
	$(BIN)/python benchmarks/uiprmd_weak.py --people 2,7 --units floors,truth,ours,published-act \
		--folder skrehab-evidence

clean:
	rm -rf $(VENV) skrehab-demo skrehab-evidence docs/_build docs/generated docs/gallery
