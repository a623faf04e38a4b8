#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run fuzzers for FUZZ_SECONDS each: fuzz.sh OUTPUT PROGRAM...
#
# What a fuzzer learns is kept in OUTPUT/corpus/NAME for the next run; inputs
# that break the model are OUTPUT/NAME-crash-*.

out=$1
shift

for program in "$@"; do
	name=$(basename "$program")
	corpus=$out/corpus/$name
	log=$out/$name.log
	mkdir -p "$corpus" || exit 1

	dict=tests/$name.dict
	[ -f "$dict" ] || dict=
	"$program" -max_total_time="${FUZZ_SECONDS:-60}" -seed="${FUZZ_SEED:-0}" \
		-max_len=4096 -timeout=10 -print_final_stats=1 \
		${dict:+"-dict=$dict"} -artifact_prefix="$out/$name-" "$corpus" >"$log" 2>&1
	status=$?

	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	seed=$(sed -n 's/^INFO: Seed: *//p' "$log")
	cov=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
	if [ $status -ne 0 ]; then
		tail -n 60 "$log"
		echo "$name: failed after ${runs:-?} runs, seed ${seed:-?}"
		exit 1
	fi
	echo "$name: ${runs:-0} runs, no finding, $cov edges, seed ${seed:-?}"
done
