#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Are all rows of the tables in error_rows/ among what the tests in $RESULTS, which
# ran before, recorded?

cd "$(dirname "$0")" || exit 1
exec awk -f error_rows.awk error_rows/*.txt "$RESULTS"/*.errors
