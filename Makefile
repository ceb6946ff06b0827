# Aliases of dev.py, which does the work; e.g. make test ARGS="-k units"
.PHONY: run test verify bench

run test verify bench:
	@python3 dev.py $@ $(ARGS)
