#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is made again when something changes, and what is not: a model of two
# files, made over and over.  TAP goes to stdout.

# Not a part of the make that runs this.
unset MAKEFLAGS MAKELEVEL MFLAGS
make=${MAKE:-make}

here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/src/model" "$dir/out"
cp "$here/Makefile" "$dir/src"
cd "$dir/src" || exit 1

echo '#define ONE 1' >model/one.h
printf '%s\n' '#include "one.h"' 'int a(void);' 'int a(void) { return ONE; }' >model/a.c
printf '%s\n' 'int b(void);' 'int b(void) { return 2; }' >model/b.c
n=0 failed=0

# An hour passes, and then these files change.
later()
{
	find "$dir" -type f -exec touch -d '-1 hour' {} +
	touch "$@"
}

# The objects that a make with these arguments compiles.
made()
{
	$make model OPT_CFLAGS=-O0 "$@" 2>"$dir/err" |
		sed -n 's|.* -c -o .*/\([a-z]*\)\.o .*|\1|p' | sort | tr '\n' ' '
}

is()
{
	n=$((n + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		echo "# made '$1' instead of '$2'"
		failed=1
	fi
}

is "$(made O=../out)" "a b " "all from nothing"
is "$(made O=../out)" "" "nothing again"
is "$(made O="$dir/out")" "" "nothing under another name of the folder"

echo '#define ONE 11' >model/one.h
later model/one.h
is "$(made O="$dir/out")" "a " "a header changed, under another name of the folder"
is "$(made O=../out/)" "" "and not again under the first"

is "$(made O=../out OPT_CFLAGS=-O1)" "a b " "other flags"
is "$(made O=../out)" "a b " "the first flags again"

mv model/one.h model/uno.h
sed -i 's/one\.h/uno.h/' model/a.c
later model/a.c
is "$(made O=../out)" "a " "a header has another name"

rm model/b.c
later model/uno.h
made O=../out >/dev/null
is "$(ar t ../out/libsoftseam.a | tr '\n' ' ')" "a.o " "a file is gone"

printf '%s\n' 'int c(void);' 'int c(void) { return 3; }' >model/c.c
is "$(made O=../out)" "c " "a new file"
is "$(ar t ../out/libsoftseam.a | sort | tr '\n' ' ')" "a.o c.o " "which is in the library"

echo "1..$n"
exit $failed
