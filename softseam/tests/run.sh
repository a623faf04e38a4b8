#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run test programs and sum up: run.sh RESULTS PROGRAM...
#
# Each program's TAP goes to RESULTS/NAME.tap.  A program that dies counts as
# one more failed test.  What programs record of calls that fail goes to
# RESULTS/NAME.errors, for those that come later.

results=$1
shift
mkdir -p "$results" || exit 1
results=$(cd "$results" && pwd)
rm -f "$results"/*.errors
passed=0 failed=0 skipped=0

for program in "$@"; do
	name=$(basename "$program")
	tap=$results/$name.tap

	RESULTS=$results ERROR_RECORD=$results/$name.errors CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$tap" 2>"$results/$name.err"
	status=$?
	skip=$(grep -c '^ok .*# SKIP' "$tap")
	ok=$(($(grep -c '^ok ' "$tap") - skip))
	bad=$(grep -c '^not ok ' "$tap")
	if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "not ok - $name exited with $status" >>"$tap"
	fi

	printf '%-24s %4d passed, %d failed, %d skipped\n' "$name" "$ok" "$bad" "$skip"
	sed -n 's/^## /    /p' "$tap"
	if [ "$bad" -ne 0 ]; then
		grep -A 3 '^not ok' "$tap"
		cat "$results/$name.err"
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
