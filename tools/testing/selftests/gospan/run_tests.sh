#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs every selftest program in a folder, one after the other, and prints TAP:
# a line per program, and before it that program's own TAP behind "# ".
#
#   run_tests.sh [FOLDER]
#
# Exit status: 0 passed, 1 failed, 4 all skipped. For busybox ash.

folder=${1:-$(dirname "$0")}
status=$(mktemp)
number=0 passed=0 failed=0 skipped=0

set -- "$folder"/*_test
if [ ! -x "$1" ]; then
	echo "Bail out! no test programs in $folder"
	exit 1
fi

echo "TAP version 13"
echo "1..$#"
for program; do
	name="selftests: gospan: $(basename "$program")"
	number=$((number + 1))
	echo "# $name"
	# A pipe has the status of its last command only: it goes through a file.
	{
		"$program" 2>&1
		echo $? > "$status"
	} | sed 's/^/# /'
	read -r code < "$status"
	case $code in
	0)
		passed=$((passed + 1))
		echo "ok $number $name"
		;;
	4)
		skipped=$((skipped + 1))
		echo "ok $number $name # SKIP"
		;;
	*)
		failed=$((failed + 1))
		echo "not ok $number $name # exit=$code"
		;;
	esac
done
rm -f "$status"
echo "# Totals: pass:$passed fail:$failed skip:$skipped"

[ "$failed" = 0 ] || exit 1
[ "$passed" != 0 ] || exit 4
