# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Builds gospan, and modules and programs that use it. To be sourced, after common.sh, which sets root.

# use_module KERNEL FOLDER FILE...: builds gospan, with a validator if $variant says so,
# and the modules in FOLDER, which use it, as FILEs; sets modules to the arguments of
# boot that bring them all
# shellcheck disable=SC2154
use_module()
{
	local module kernel file for_kernel files=("${@:3}") folder=$root/build/$1-${3%.ko}
	module=$("$root/tools/vm/build" "$1" ${variant:+"$variant"})
	kernel=$("$root/tools/vm/kernel" "$1")
	make_for "$1"
	mkdir -p "$folder"
	rsync -a --include=Kbuild --include='*.[ch]' --exclude='*' "$2/" "$folder/"
	make -C "$kernel/build" M="$folder" GOSPAN="$root" W=1 "${for_kernel[@]}" \
		ONLY="${files[*]/%.ko/.o}" \
		KBUILD_EXTRA_SYMBOLS="${module%/*}/Module.symvers" modules
	modules=(--file "$module")
	for file in "${files[@]}"; do modules+=(--file "$folder/$file"); done
}

# make_programs KERNEL FOLDER TARGET ARGUMENT...: runs make in FOLDER for the kernel's
# machine, with build/TARGET (build/TARGET-arm64) as its O; sets programs to that
make_programs()
{
	local user for_user=()
	programs=$root/build/$3
	if [[ $1 == arm64* ]]; then
		programs+=-arm64
		user=$("$root/tools/vm/kernel" "$1")/user/usr
		for_user=(env CC=aarch64-linux-gnu-gcc CFLAGS="-O2 -g -I$user/include"
			LDFLAGS="-L$user/lib/aarch64-linux-gnu")
	fi
	"${for_user[@]}" make -s -C "$root/$2" O="$programs" "${@:4}"
}

# use_tool KERNEL: builds the command; sets tool to the arguments of boot that bring it
# shellcheck disable=SC2034
use_tool()
{
	local programs
	make_programs "$1" tools/gospan tool STATIC=1
	tool=(--file "$programs/gospan:/bin/gospan")
}

# use_selftests KERNEL: builds the command and the selftests; sets selftests to the
# arguments of boot that bring them
# shellcheck disable=SC2034
use_selftests()
{
	local programs tool
	use_tool "$1"
	make_programs "$1" tools/testing/selftests/gospan selftest \
		KSFT_DIR="$("$root/tools/vm/kernel" source)/build/tools/testing/selftests"
	cp "$root"/tools/testing/selftests/gospan/*.sh "$programs/"
	selftests=("${tool[@]}" --file "$programs:/selftest")
}
