# Thin names for make.py, which does the work and also runs where there is no make:
#   make report                          the report of the sample project
#   make report ARGS="--lang en"         in English
#   make report ARGS="my_city --year 2024"
#   make PYTHON=python3.12 report        with another Python

PYTHON := python3
ARGS :=

TARGETS := report test check bench simulation samples lock clean

.PHONY: help $(TARGETS)
.NOTPARALLEL:

help:
	@"$(PYTHON)" make.py help

$(TARGETS):
	@"$(PYTHON)" make.py $@ $(ARGS)
