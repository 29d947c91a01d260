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
	local module kernel file arch=() files=("${@:3}") folder=$root/build/$1-${3%.ko}
	module=$("$root/tools/vm/build" "$1" ${variant:+"$variant"})
	kernel=$("$root/tools/vm/kernel" "$1")
	[[ $1 != uml* ]] || arch=(ARCH=um)
	mkdir -p "$folder"
	rsync -a --include=Kbuild --include='*.[ch]' --exclude='*' "$2/" "$folder/"
	make -C "$kernel/build" M="$folder" GOSPAN="$root" W=1 "${arch[@]}" \
		ONLY="${files[*]/%.ko/.o}" \
		KBUILD_EXTRA_SYMBOLS="${module%/*}/Module.symvers" modules
	modules=(--file "$module")
	for file in "${files[@]}"; do modules+=(--file "$folder/$file"); done
}

# use_selftests: builds the command and the selftests; sets selftests to the arguments
# of boot that bring them
# shellcheck disable=SC2034,SC2154
use_selftests()
{
	make -s -C tools/gospan STATIC=1 O="$root/build/tool"
	make -s -C tools/testing/selftests/gospan O="$root/build/selftest" \
		KSFT_DIR="$("$root/tools/vm/kernel" source)/build/tools/testing/selftests"
	cp tools/testing/selftests/gospan/*.sh build/selftest/
	selftests=(--file "$root/build/tool/gospan:/bin/gospan" --file "$root/build/selftest")
}
