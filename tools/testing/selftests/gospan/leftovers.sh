# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What a module that has gone has left: functions to be sourced, for busybox ash.

# Ask the kernel to let go of what it can, and each CPU to add what it has counted
# to the sums: the free pages may else lack 125 pages for each zone and CPU.
settle()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	[ ! -e /proc/sys/vm/stat_refresh ] || cat /proc/sys/vm/stat_refresh
}

# KiB of a kernel page. User-Mode Linux may not say, and has 4.
page_kib()
{
	awk '/^KernelPageSize:/ { kib = $2; exit } END { print kib ? kib : 4 }' /proc/self/smaps /dev/null
}

# free_kib WITNESS: free memory in KiB as zoneinfo or buddyinfo count it, and what comes
# and goes without the module's doing: pages in the lists of a CPU, which are free but
# in no count, and what the running of fifty programs leaves in slabs, stacks and page
# tables. For the witnesses Slab and Percpu, how much these have, counted down. All by one
# program: when one ends, its pages move from one count to the other. No powers: busybox
# may be built without mathematics.
free_kib()
{
	awk -v witness="$1" -v page="$(page_kib)" '
		FILENAME == "/proc/buddyinfo" {
			for (i = 5, size = page; i <= NF; i++, size *= 2) kib["buddyinfo"] += $i * size
		}
		$1 == "pages" && $2 == "free" { kib["zoneinfo"] += $3 * page }
		$1 == "count:" { other += $2 * page }
		/^(Slab|KernelStack|PageTables|AnonPages):/ { other += $2 }
		$1 == witness ":" { own = $2 }
		END { print own ? -own : kib[witness] + other }
	' /proc/buddyinfo /proc/zoneinfo /proc/meminfo
}

# Per-CPU memory, which a CPU's counts do not blur, and what there is to see of
# workqueues, slabs, devices, what hears of CPUs, and in debugfs.
other_things()
{
	grep '^Percpu:' /proc/meminfo
	find /sys/devices/virtual /sys/kernel/slab /sys/module -maxdepth 2 2> /dev/null
	cat /sys/devices/system/cpu/hotplug/states
	ls /sys/kernel/debug /sys/kernel/debug/shrinker 2> /dev/null || true
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
	echo "# $1: $lost KiB less than before (tolerance $3)"
	[ $lost -le "$3" ]
}
