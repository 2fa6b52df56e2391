# Short names for what the scripts do.
.PHONY: build check fmt bench fuzz

build:
	scripts/build.sh

check:
	scripts/test.sh

fmt:
	find src -name '*.h' -o -name '*.cc' | xargs clang-format-16 -i

bench:
	bench/run.sh small

fuzz:
	scripts/fuzz.sh 10000000
