#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Line coverage of model/ by test programs: coverage.sh OUTPUT PROGRAM...
#
# Prints a table and writes OUTPUT/coverage.json, llvm-cov's summary.

out=$1
shift
rm -rf "$out"
mkdir -p "$out" || exit 1

for program in "$@"; do
	LLVM_PROFILE_FILE="$out/$(basename "$program").profraw" \
		CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$out/$(basename "$program").tap" 2>&1 || {
		echo "$program failed: see $out/$(basename "$program").tap" >&2
		exit 1
	}
done

objects=
for program in "$@"; do
	objects="$objects${objects:+ -object }$program"
done
ignore='--ignore-filename-regex=tests/'

llvm-profdata merge -sparse -o "$out/all.profdata" "$out"/*.profraw || exit 1
# shellcheck disable=SC2086 # a list of options
llvm-cov export -summary-only "$ignore" -instr-profile="$out/all.profdata" $objects \
	>"$out/coverage.json" || exit 1
# shellcheck disable=SC2086
llvm-cov show "$ignore" -instr-profile="$out/all.profdata" $objects >"$out/coverage.txt" || exit 1
# shellcheck disable=SC2086
llvm-cov report "$ignore" -show-region-summary=false -instr-profile="$out/all.profdata" $objects
