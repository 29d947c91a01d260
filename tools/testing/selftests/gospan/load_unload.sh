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

# Ask the kernel to let go of what it can, and each CPU to add what it has counted
# to the sums: the free pages may else lack 125 pages for each zone and CPU.
settle()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	[ ! -e /proc/sys/vm/stat_refresh ] || cat /proc/sys/vm/stat_refresh
}

# free_kib WITNESS: free memory in KiB as zoneinfo or buddyinfo count it, and what comes
# and goes without the module's doing: pages in the lists of a CPU, which are free but
# in no count, and what the running of fifty programs leaves in slabs, stacks and page
# tables. For the witness slab, how much slabs have, counted down. All by one program:
# when one ends, its pages move from one count to the other. No powers: busybox may be
# built without mathematics.
free_kib()
{
	awk -v witness="$1" '
		FILENAME == "/proc/buddyinfo" {
			for (i = 5, size = 4; i <= NF; i++, size *= 2) kib["buddyinfo"] += $i * size
		}
		$1 == "pages" && $2 == "free" { kib["zoneinfo"] += $3 * 4 }
		$1 == "count:" { other += $2 * 4 }
		/^(Slab|KernelStack|PageTables|AnonPages):/ { other += $2 }
		/^Slab:/ { slab = $2 }
		END { print witness == "slab" ? -slab : kib[witness] + other }
	' /proc/buddyinfo /proc/zoneinfo /proc/meminfo
}

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

# Per-CPU memory, which a CPU's counts do not blur, and what there is to see of
# workqueues, slabs, devices and in debugfs.
other_things()
{
	grep '^Percpu:' /proc/meminfo
	find /sys/devices/virtual /sys/kernel/slab /sys/module -maxdepth 2 2> /dev/null
	ls /sys/kernel/debug 2> /dev/null
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

# median WITNESS: of five, since other parts of the kernel are at work
median()
{
	for _ in 1 2 3 4 5; do
		settle
		free_kib "$1"
	done | sort -n | sed -n 3p
}

# check_free WITNESS BEFORE TOLERANCE: is there as much as before? What RCU or a
# worker holds back may take a moment.
check_free()
{
	tries=0
	lost=0
	while [ $tries -lt 10 ]; do
		settle
		lost=$(($2 - $(free_kib "$1")))
		[ $lost -gt "$3" ] || break
		sleep 0.5
		tries=$((tries + 1))
	done
	echo "# $1: $lost KiB less after $rounds rounds (tolerance $3)"
	[ $lost -le "$3" ]
}

# Sets rounds_status, zoneinfo_status, buddyinfo_status and slab_status; succeeds if
# they all are 0.
measure_rounds()
{
	zoneinfo=$(median zoneinfo)
	buddyinfo=$(median buddyinfo)
	slab=$(median slab)
	run_rounds "$rounds"
	rounds_status=$?
	check_free zoneinfo "$zoneinfo" $page_tolerance_kib
	zoneinfo_status=$?
	check_free buddyinfo "$buddyinfo" $page_tolerance_kib
	buddyinfo_status=$?
	[ -n "$slab_skipped" ] || check_free slab "$slab" $slab_tolerance_kib
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
