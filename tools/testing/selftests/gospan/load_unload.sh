#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loads and unloads the module 50 times, or ROUNDS, with traffic in between, and
# checks that all comes back, and that a module in use stays. Prints TAP.
#
#   load_unload.sh PATH/gospan.ko [PATH/gospan [ROUNDS]]
#
# The module must not be loaded. Exit status: 0 passed, 1 failed, 4 skipped.
# For busybox ash.

# shellcheck source=leftovers.sh
. "$(dirname "$0")/leftovers.sh"

module=${1:-}
tool=${2:-gospan}
rounds=${3:-50}
# A module that lost one 8 KiB page in each round would lack 400 KiB; what other
# parts of the kernel do meanwhile was seen to come to 180.
page_tolerance_kib=300
slab_tolerance_kib=512
number=0 failed=0
slab_skipped=
! grep -q ' kasan_quarantine_' /proc/kallsyms ||
	slab_skipped="KASAN holds freed objects back"

skip()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

# result STATUS TEXT
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		failed=1
		echo "not ok $number $2"
	fi
}

is_loaded() { grep -q '^gospan ' /proc/modules; }

# The device node is made by devtmpfs, a moment after insmod at the latest.
wait_for_device()
{
	tries=0
	while [ ! -e /dev/gospan ] && [ $tries -lt 50 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	[ -e /dev/gospan ]
}

# load_use_unload SEED: one round; its output only when something fails
load_use_unload()
{
	insmod "$module" || return
	wait_for_device || return
	"$tool" alloc-test --objects 500 --seconds 0 --seed "$1" > /tmp/alloc_test.log 2>&1 || {
		sed 's/^/# /' /tmp/alloc_test.log
		rmmod gospan
		return 1
	}
	rmmod gospan
}

run_rounds()
{
	i=0
	while [ $i -lt "$1" ]; do
		load_use_unload "$i" || {
			echo "# round $i failed"
			return 1
		}
		i=$((i + 1))
	done
}

# Sets rounds_status, zoneinfo_status, buddyinfo_status and slab_status; succeeds if
# they all are 0.
measure_rounds()
{
	zoneinfo=$(median zoneinfo)
	buddyinfo=$(median buddyinfo)
	slab=$(median Slab)
	run_rounds "$rounds"
	rounds_status=$?
	check_free zoneinfo "$zoneinfo" $page_tolerance_kib
	zoneinfo_status=$?
	check_free buddyinfo "$buddyinfo" $page_tolerance_kib
	buddyinfo_status=$?
	[ -n "$slab_skipped" ] || check_free Slab "$slab" $slab_tolerance_kib
	slab_status=$?
	[ "$rounds_status$zoneinfo_status$buddyinfo_status$slab_status" = 0000 ]
}

[ "$(id -u)" = 0 ] || skip "needs root"
[ -f "$module" ] || skip "no module at '$module'"
command -v "$tool" > /dev/null || skip "no tool at '$tool'"
! is_loaded || skip "the module is loaded already"

echo "TAP version 13"
echo "1..9"

# The first rounds fill caches of the kernel's own (kallsyms, sysfs, slabs).
run_rounds 10
result $? "first rounds"

other_things > /tmp/things
# What the module loses it loses each time; what others take they have some time.
attempt=0
while [ $attempt -lt 3 ]; do
	measure_rounds && break
	# A round that failed is no matter of memory.
	[ "$rounds_status" = 0 ] || break
	attempt=$((attempt + 1))
done
result "$rounds_status" "load, use and unload $rounds times"
other_things | diff /tmp/things - | sed 's/^/# /' > /tmp/more_things
cat /tmp/more_things
[ ! -s /tmp/more_things ]
result $? "per-CPU memory, sysfs and debugfs are as before"
result "$zoneinfo_status" "free pages come back"
result "$buddyinfo_status" "buddyinfo comes back"
result "$slab_status" "slabs do not grow${slab_skipped:+ # SKIP $slab_skipped}"

insmod "$module" && wait_for_device && exec 3<> /dev/gospan
result $? "open the device"
# The shell's file is the only user: rmmod must refuse, and say so.
! rmmod gospan 2> /dev/null && is_loaded
result $? "rmmod refuses while the device is open"
exec 3>&-
rmmod gospan && ! is_loaded && [ ! -e /dev/gospan ]
result $? "rmmod after the device was closed"

exit $failed
