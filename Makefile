# Aliases of dev.py, which does the work; e.g. make test ARGS="-k units"
.PHONY: run test verify

run test verify:
	@python3 dev.py $@ $(ARGS)
