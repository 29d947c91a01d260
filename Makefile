# SPDX-License-Identifier: GPL-2.0-only
#
# gospan out of tree. What the module is made of stands in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
TOOL := tools/gospan/gospan

all: modules tool

help:
	@echo 'On any Debian 12 or 13 machine; all set-up is done by itself:'
	@echo '  bench            - compare gospan with the kernel'\''s allocators, in a virtual machine:'
	@echo '                     instructions on Debian'\''s 6.12; VM=uml: cycles on Linux 7.3;'
	@echo '                     table and pictures stay in build/report/index.html'
	@echo '  bench-heap       - only the page heap, with a million pages in use (14 GiB free)'
	@echo '  bench-peers      - gospan in cycles beside glibc, tcmalloc, jemalloc, mimalloc and Go'
	@echo '  check            - every test; the last line is "N passed, N failed"'
	@echo '  torture          - all calls at random, in every context, on every kernel, and ioctls:'
	@echo '                     MINUTES=60, SEED=0 (draw it), KERNELS="6.12 6.1 rt uml uml-tiny uml-kasan'
	@echo '                     kunit kcsan ioctls-uml ioctls-uml-kasan ioctls-kunit ioctls-kcsan'
	@echo '                     faults loads"'
	@echo '  perf-check       - only the instruction counts: none above its budget, or grown by 1 %'
	@echo '  perf-record      - make the counts of now the limits (tools/perf/recorded.json)'
	@echo '  kunit            - only the KUnit tests, on User-Mode Linux'
	@echo '  models           - only the models of what has no lock, all states of them'
	@echo '  coverage         - the lines of the module that no test runs, by file; build/coverage/'
	@echo '  docs             - build/docs/index.html from Documentation/ and the headers'
	@echo ''
	@echo 'For the kernel in KDIR=<build folder> (this machine'\''s if not given):'
	@echo '  all              - modules and tool (the default)'
	@echo '  modules          - gospan.ko and Module.symvers'
	@echo '  modules_install  - install gospan.ko with the kernel'\''s modules (root)'
	@echo '  load, unload     - insmod, rmmod (root); then: sudo $(TOOL) bench'
	@echo '  tool             - $(TOOL), the command that speaks to /dev/gospan'
	@echo '  tables           - generate the size class tables again'
	@echo '  clean            - remove what was built here, build/ too'
	@echo ''
	@echo 'Variables: BENCH_ARGS="--sizes 64 ..." and BOOT="" (the kernel command line;'
	@echo 'default "mitigations=off init_on_alloc=0") for bench; CONFIG_GOSPAN_KUNIT_TEST=y'
	@echo 'for modules with their tests; those of kbuild: W=1 C=1 V=1 LLVM=1.'

modules modules_install: | $(KDIR)
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

$(KDIR):
	@echo "No kernel build folder $@: install linux-headers-$(shell uname -r)," >&2
	@echo "or name one (make KDIR=...); 'make bench' needs none." >&2
	@false

tool:
	$(MAKE) -C tools/gospan

load: modules
	insmod ./gospan.ko

unload:
	rmmod gospan

bench check coverage docs:
	@tools/$@

bench-heap:
	@tools/bench heap

torture:
	@tools/torture $(MINUTES:%=--minutes %) $(SEED:%=--seed %) $(KERNELS)

perf-check:
	@tools/check --only perf

perf-record:
	@tools/perf/run record

bench-peers:
	@tools/bench-peers

kunit:
	@tools/check --only kunit-uml

models:
	@tools/models/check

tables:
	tools/mksizeclasses table > src/sizeclass_table.h
	tools/mksizeclasses constant > include/linux/gospan_sizeclass.h
	tools/mksizeclasses text > tools/gospan/classes/go.txt

clean:
	@if [ -d $(KDIR) ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	$(MAKE) -C tools/gospan clean
	$(MAKE) -C tools/malloctrace clean
	$(MAKE) -C tools/peers clean
	$(MAKE) -C tools/host clean
	$(MAKE) -C tools/testing/selftests/gospan clean
	rm -rf build

.PHONY: all help modules modules_install tool load unload bench bench-heap bench-peers check torture perf-check perf-record \
	kunit models coverage docs tables clean
