#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# pamt_exhaust.sh START END COUNT: launch TDs while one allocation of a PAMT page
# fails, another one each time; COUNT is how many are tried.  START and END are
# the addresses of the function that allocates them.  A TD that has nothing to
# do with it runs beside.
fail=/sys/kernel/debug/fail_page_alloc
pamt=/sys/devices/faux/tdx_host/pamt

echo "0x$1" >$fail/require-start
echo "0x$2" >$fail/require-end
echo 0 >$fail/min-order
echo N >$fail/ignore-gfp-wait
echo N >$fail/ignore-gfp-highmem
echo Y >$fail/task-filter
echo 0 >$fail/verbose
echo 1 >$fail/interval
echo 100 >$fail/probability

tdx_stress_test --only cycles --cycles 20 >/tmp/bystander 2>&1 &
bystander=$!

nth=0
while [ $nth -lt "$3" ]; do
	echo $nth >$fail/space
	echo 1 >$fail/times
	sh -c 'echo 1 >/proc/self/make-it-fail; exec tdx_launch --mem 16' >/tmp/launch 2>/tmp/errors
	status=$?
	echo "launch $nth status $status left $(cat $fail/times): $(tail -n 1 /tmp/errors)"
	nth=$((nth + 1))
done

wait $bystander
echo "bystander status $?"
echo "counters $(cat $pamt/pairs) $(cat $pamt/stuck) $(cat $pamt/leaked)"
