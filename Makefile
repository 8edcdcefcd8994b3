# Thin names over packaging/bootstrap, which sets up what is missing first.
#   make run ARGS="..."     set up, then open the window       make serve ARGS="..."   the endpoint alone, no screen
#   make test ARGS="..."    all tests, no screen               make check              linters and types
#   make soak ARGS=minutes  the whole app under load
#   make bench ONLY=name    benchmarks                         make lock ARGS=--upgrade  newer locked versions
#   make llama-server       llama.cpp's own server in build/peer, which the benchmarks then measure against (minutes)
#   make gpu                the library for graphics cards in build/gpu (GPU=vulkan, cuda or hip); make run does it itself
#   make translations     the files of words brought up to the sources
#   make package            this system's installers in dist (ONLY=freeze: the frozen program in build/ship alone)
#   make smoke              try the .deb in a clean Debian: install, chat, upgrade, remove (root; some minutes)
#   make trial SUITE=trixie make test in a clean Debian that holds only what the README asks for (root; half an hour)
# GPU=off, vulkan, cuda or hip chooses how graphics cards are used, as in `make run GPU=cuda`.
# PYTHON=python3.12 names the Python to use; WHEEL=path a ready-built wheel of llama-cpp-python.
PYTHON ?= python3
export WHEEL

BOOTSTRAP = @PYTHONPATH=packaging $(PYTHON) -m bootstrap

.PHONY: run serve test check bench llama-server gpu soak lock translations clean package smoke trial
.NOTPARALLEL:

run serve test soak lock:
	$(BOOTSTRAP) $@ $(ARGS)

bench:
	$(BOOTSTRAP) bench $(ONLY)

check llama-server gpu translations clean:
	$(BOOTSTRAP) $@

package:
	@PYTHONPATH=packaging $(PYTHON) -m ship $(ONLY)

smoke:
	@PYTHONPATH=packaging $(PYTHON) -m smoke $(DEB)

trial:
	@PYTHONPATH=packaging $(PYTHON) -m trial $(SUITE) $(ARGS)
