#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# softseam-run with a program that stands in for QEMU: what it starts and prints,
# and each thing that it refuses.  TAP goes to stdout.

here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# A folder of its own: nothing may be left in it.
mkdir "$dir/cwd" "$dir/bin" "$dir/here"
cp "$here/fake_qemu.sh" "$dir/bin/qemu-system-x86_64"
cp "$SOFTSEAM_RUN" "$SOFTSEAM_SO" "$dir/here"
run=$dir/here/softseam-run
plugin=$dir/here/softseam.so
touch "$dir/bzImage" "$dir/root.cpio"
PATH=$dir/bin:$PATH
cd "$dir/cwd" || exit 1
n=0 failed=0
args='nohibernate no_timer_check tsc=nowatchdog'

result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

is()
{
	[ "$1" = "$2" ]
	result $? "$3"
	[ "$1" = "$2" ] || printf '%s\n' "got" "$1" "instead of" "$2" | sed 's/^/# /'
}

# bad STATUS LINE ARGUMENT...: it says this one line and ends.
bad()
{
	status=$1 line=$2
	shift 2
	"$run" "$@" >"$dir/out" 2>"$dir/err"
	is "$? $(cat "$dir/out")$(cat "$dir/err")" "$status softseam-run: $line" "refuses $(printf '%s' "${*:-it}" | sed "s|$dir/||g")"
}

# has TEXT ARGUMENT...: a word of the command, or several.
has()
{
	text=$1
	shift
	"$run" "$@" >"$dir/out" 2>&1
	tr '\n' ' ' <"$dir/out" | grep -qF -e "$text"
	result $? "$(printf '%s' "${*:-without options}: $text" | sed "s|$dir/||g")"
}

lacks()
{
	text=$1
	shift
	"$run" "$@" >"$dir/out" 2>&1
	grep -qF -e "-accel" "$dir/out" && ! grep -qF -e "$text" "$dir/out"
	result $? "$(printf '%s' "$*: not $text" | sed "s|$dir/||g")"
}

# The machine.
has '<-accel> <tcg,thread=multi>'
has '<-cpu> <Skylake-Server,-erms,-pku,-pcid,-invpcid,-avx512f,-avx512bw,-avx512cd,-avx512dq,-avx512vl,-hle,-rtm,-tsc-deadline,-xsavec,+sha-ni,+svm,+npt,phys-bits=48>'
has '<-smp> <2,sockets=1>'
has '<-M> <q35,memory-backend=ram0> <-m> <1024M> <-object> <memory-backend-memfd,id=ram0,size=1024M,share=on>'
has '<-object> <memory-backend-memfd,id=private,size=2048M,share=on> <-device> <ivshmem-plain,memdev=private>'
has "<-plugin> <file=$plugin> "
lacks '-numa' --cpus 2
lacks '-kernel' --cpus 2
has '<-smp> <256,sockets=8>' --cpus 256 --sockets 8
has "<-plugin> <file=$plugin,packages=2>" --cpus 4 --sockets=2
has "<-plugin> <file=$plugin,packages=2,trace=t>" --sockets 2 --seam packages=2 --seam trace=t
lacks 'packages=2,packages=2' --sockets 2 --seam packages=2
has "<-plugin> <file=$plugin,inject=a:1:b|2,trace=x,,y=z>" --seam 'inject=a:1:b|2' --seam 'trace=x,y=z'
has '<-M> <q35> <-m> <3000M> <-object> <memory-backend-memfd,id=ram0,size=1000M,share=on> <-object> <memory-backend-memfd,id=ram1,size=1000M,share=on> <-object> <memory-backend-memfd,id=ram2,size=1000M,share=on>' \
	--nodes 3 --cpus 6 --memory 3000
has '<-numa> <node,nodeid=0,memdev=ram0,cpus=0-1> <-numa> <node,nodeid=1,memdev=ram1,cpus=2-3> <-numa> <node,nodeid=2,memdev=ram2,cpus=4-5>' \
	--nodes 3 --cpus 6 --memory 3000
has '<node,nodeid=7,memdev=ram7,cpus=7-7>' --nodes 8 --cpus 8

# The window: RAM, 24 KB, and 8256 KB a CPU, up to the next power of two.
for row in 1,64,128 1,2039,2048 1,2040,4096 2,2031,2048 2,2032,4096 256,64,4096 256,2031,4096 \
	   256,2032,8192 64,65536,131072 2,1048576,2097152; do
	window=${row##*,} cpus=${row%%,*} memory=${row#*,}
	has "id=private,size=${window}M," --cpus "$cpus" --memory "${memory%,*}"
done

# Less of a machine.
has '-xsavec,+sha-ni> ' --tds off
lacks '+svm' --tds=off
lacks 'phys-bits' --tds off
lacks 'ivshmem' --tds off
has "<-plugin> <file=$plugin>" --tds off
lacks '-plugin' --plugin none
has 'ivshmem' --plugin none

# The kernel.
has "<-kernel> <$dir/bzImage> <-append> <$args>" -kernel "$dir/bzImage"
has "<-initrd> <$dir/root.cpio> <-append> <$args console=ttyS0 -- x>" \
	--kernel "$dir/bzImage" -initrd="$dir/root.cpio" -append 'console=ttyS0 -- x'
has "<-append> <$args>" -kernel "$dir/bzImage" -append ''
has "<-append> <a=b c>" -kernel "$dir/bzImage" -append 'a=b c' --no-kernel-args
lacks '-append' -kernel "$dir/bzImage" --no-kernel-args

# What is QEMU's own comes last.
"$run" --cpus 1 -- -drive 'file=a b' --print -- '' >"$dir/out"
is "$(tail -n 5 "$dir/out" | tr '\n' ' ')" '<-drive> <file=a b> <--print> <--> <> ' "words behind --"
FAKE_STATUS=77 "$run" >/dev/null
is $? 77 "the status is QEMU's"
FAKE_SHOWS_PID=1 sh -c 'echo "pid $$"; exec "$0"' "$run" >"$dir/out"
is "$(sed -n 1p "$dir/out")" "$(sed -n 2p "$dir/out")" "QEMU is the process that was started"

# What --print prints is what would run, whatever is in it.
odd="$dir/o d=d'\$x,,"
mkdir "$odd"
cp "$here/fake_qemu.sh" "$odd/q=u"
cp "$plugin" "$odd/soft;seam.so"
newline='a
b'
set -- --qemu "$odd/q=u" --plugin "$odd/soft;seam.so" --seam "trace=it's a \"file\", \$HOME" \
	-kernel "$dir/bzImage" -append "dyndbg=\"file a +p\" \`id\` \\ * ? ~ ! # & ; | < > ( ) {a,b} [c]" \
	-- '' ' ' "'" "'\\''" '"' '~' '*' '#x' "$newline" 'x=y' '-x=~' 'ü' '!!' "\$((1))" '%1' "a\\" '^x' '--'
"$run" "$@" >"$dir/out"
"$run" --print "$@" >"$dir/print"
is "$(sh "$dir/print")" "$(cat "$dir/out")" "what is printed runs the same"
is "$(grep -c '^<!!>$' "$dir/out")" 1 "and that has all of it"
is "$(grep -cF "<file=$(printf '%s' "$odd" | sed 's/,/,,/g')/soft;seam.so,trace=it's a \"file\",, \$HOME>" "$dir/out")" 1 \
	"commas in names are doubled"
cp "$here/fake_qemu.sh" "$dir/bin/q=u"
is "$("$run" --qemu q=u --print | sed -n 1p)" "'q=u' \\" "a first word that is no assignment"
is "$("$run" --print --cpus 4 | sed -n '1p;4p')" "qemu-system-x86_64 \\
    -smp 4,sockets=1 \\" "plain words are not quoted"

# Where the plugin is.
mkdir -p "$dir/usr/bin" "$dir/usr/lib/softseam"
cp "$SOFTSEAM_RUN" "$dir/usr/bin"
is "$("$dir/usr/bin/softseam-run" 2>&1)" \
	"softseam-run: there is no softseam.so in $dir/usr/bin or its ../lib/softseam: build it with make -C softseam, or name it with --plugin" \
	"no plugin anywhere"
cp "$plugin" "$dir/usr/lib/softseam"
is "$("$dir/usr/bin/softseam-run" | grep -A 1 plugin | tail -n 1)" "<file=$dir/usr/lib/softseam/softseam.so>" \
	"the plugin in ../lib/softseam"
ln -s "$run" "$dir/bin/linked"
is "$(linked | grep -A 1 plugin | tail -n 1)" "<file=$plugin>" "the plugin beside what a link names"
cp "$plugin" mine.so
has "<file=$dir/cwd/mine.so>" --plugin mine.so
rm mine.so

# Files that are no plugin, or not ours.
no_plugin="is no plugin: --plugin must name a softseam.so"
bad 1 "--plugin nowhere.so: No such file or directory" --plugin nowhere.so
bad 1 "$dir $no_plugin" --plugin "$dir"
bad 1 "$dir/bzImage $no_plugin" --plugin "$dir/bzImage"
bad 1 "$here/fake_qemu.sh $no_plugin" --plugin "$here/fake_qemu.sh"
bad 1 "$run $no_plugin" --plugin "$run"
bad 1 "$OLD_PLUGIN is for version 6 of QEMU's plugin interface, not 7: build it again with make -C softseam" \
	--plugin "$OLD_PLUGIN"
size=$(wc -c <"$plugin")
for part in 5 63 64 $((size / 2)); do
	head -c "$part" "$plugin" >"$dir/cut.so"
	bad 1 "$dir/cut.so $no_plugin" --plugin "$dir/cut.so"
done
cp "$plugin" "$dir/cut.so"
printf '\377\377\377\377\377\377\377\377' | dd of="$dir/cut.so" bs=1 seek=40 conv=notrunc 2>"$dir/err"
bad 1 "$dir/cut.so $no_plugin" --plugin "$dir/cut.so"

# QEMUs that will not do.
qemu=$dir/bin/qemu-system-x86_64
other="try another QEMU with --qemu"
needs="and softseam needs 11.1, with plugin interface 7: install that, or name it with --qemu"
bad 1 "there is no $dir/none: install QEMU 11.1 or newer, or name it with --qemu" --qemu "$dir/none"
bad 1 "cannot run $dir: Permission denied; --qemu names another QEMU" --qemu "$dir"
bad 1 "cannot run $dir/bzImage: Permission denied; --qemu names another QEMU" --qemu "$dir/bzImage"
mv "$qemu" "$dir/kept"
bad 1 "there is no nosuch-qemu: install QEMU 11.1 or newer, or name it with --qemu" --qemu nosuch-qemu
is "$(PATH=$dir/none "$run" 2>&1)" \
	"softseam-run: there is no qemu-system-x86_64: install QEMU 11.1 or newer, or name it with --qemu" "no QEMU in PATH"
mv "$dir/kept" "$qemu"
bad 1 "$(command -v cat) is no QEMU, it says '$(cat --version | sed -n 1p)': --qemu must name a qemu-system-x86_64" \
	--qemu "$(command -v cat)"
export FAKE_VERSION
for version in 9.2 10.20 11.0; do
	FAKE_VERSION="QEMU emulator version $version.50"
	bad 1 "qemu-system-x86_64 is QEMU $version $needs"
done
for version in 11.1.0 11.10.0 12.0; do
	FAKE_VERSION="QEMU emulator version $version"
	has '<-accel>'
done
FAKE_VERSION="qemu-x86_64 version 11.1.2"
bad 1 "qemu-system-x86_64 is no QEMU, it says '$FAKE_VERSION': --qemu must name a qemu-system-x86_64"
FAKE_VERSION=
bad 1 "qemu-system-x86_64 is no QEMU, it says '': --qemu must name a qemu-system-x86_64"
FAKE_VERSION="warning: something
QEMU emulator version 11.1.2"
has '<-accel>'
FAKE_VERSION="error while loading shared libraries"
export FAKE_VERSION_STATUS=127
bad 1 "qemu-system-x86_64 --version fails with status 127 and says '$FAKE_VERSION': $other"
unset FAKE_VERSION FAKE_VERSION_STATUS
export FAKE_KILLED=1
bad 1 "qemu-system-x86_64 --version was killed by signal 9: $other"
unset FAKE_KILLED
export FAKE_ENDLESS=1
bad 1 "qemu-system-x86_64 --version was killed by signal 13: $other"
unset FAKE_ENDLESS
export FAKE_NO_PLUGINS=1
bad 1 "qemu-system-x86_64 is built without plugins, it says 'qemu: plugin interface not enabled in this build': use one that was configured with --enable-plugins"
has '<-accel>' --plugin none
unset FAKE_NO_PLUGINS

# Files that are not there, and a full disk.
bad 1 "-kernel nothing: No such file or directory" -kernel nothing
bad 1 "-initrd nothing: No such file or directory" -kernel "$dir/bzImage" -initrd nothing
for what in --print --help; do
	"$run" $what 2>"$dir/err" >/dev/full
	is "$? $(cat "$dir/err")" "1 softseam-run: cannot write: No space left on device" "$what on a full disk"
done

# Command lines that make no sense.
whose="is not an option of softseam-run: --help lists those, QEMU's own go behind --"
for word in disk.img -smp --cpu --cpuss ---cpus - -nographic --nodefaults=1 ''; do
	bad 2 "$word $whose" "$word" 4
done
for value in 0 257 -1 +1 two 1.5 '' ' 1' 0x1 99999999999999999999 1G; do
	bad 2 "--cpus $value: must be a number from 1 to 256" --cpus "$value"
done
for value in 63 1048577 1G; do
	bad 2 "--memory $value: must be a number of MB from 64 to 1048576" --memory "$value"
done
bad 2 "--sockets 9: must be a number from 1 to 8" --sockets 9
bad 2 "--nodes 9: must be a number from 1 to 8" --nodes=9
bad 2 "--cpus 3 cannot be shared evenly by --sockets 2: use a multiple of it" --cpus 3 --sockets 2
bad 2 "--cpus 2 cannot be shared evenly by --nodes 4: use a multiple of it" --nodes 4
bad 2 "--memory 1025 cannot be shared evenly by --nodes 2: use a multiple of it" --nodes 2 --memory 1025
bad 2 "--tds maybe: must be on or off" --tds maybe
for option in cpus memory sockets nodes tds seam kernel initrd append qemu plugin; do
	bad 2 "--$option needs a value behind it" --$option
done
for option in kernel initrd qemu plugin; do
	bad 2 "--$option needs a name that is not empty" --$option ''
done
bad 2 "--print=1: --print takes no value" --print=1
bad 2 "--cpus is given twice: leave one out" --cpus 1 -cpus 2
bad 2 "--print is given twice: leave one out" --print --print
bad 2 "-initrd needs -kernel: without it, the disk's boot loader chooses" -initrd x
bad 2 "-append needs -kernel: without it, the disk's boot loader chooses" -append x
for word in trace =x Trace=x 'a b=c' 'a,b=c' ''; do
	bad 2 "--seam $word: must be KEY=VALUE, as softseam/README.md lists them" --seam "$word"
done
for word in file=x arg=x; do
	bad 2 "--seam $word: QEMU keeps this key to itself; --plugin names another plugin" --seam "$word"
done
for value in 2 '' 1x; do
	bad 2 "--seam packages=$value does not fit --sockets 1: leave it out, --sockets sets both" --seam "packages=$value"
done
bad 2 "--seam trace=x is for the plugin: leave out --plugin none" --plugin none --seam trace=x

# Help, and the manual page that says the same at more length.
"$run" --cpus 1 --help >"$dir/help" 2>&1
is "$? $(sed -n 1p "$dir/help")" "0 Usage: softseam-run [OPTION...] [-- QEMU-OPTION...]" "help"
is "$(awk 'length > 80' "$dir/help")" "" "help fits a terminal"
man=$here/../softseam-run.1
sed 's/\\-/-/g' "$man" >"$dir/man"
sed -n 's/^  \(-[a-z-]*\) .*/\1/p' "$dir/help" >"$dir/options"
while read -r option; do
	grep -q "^\.B[RI]* $option\b" "$dir/man"
	result $? "the manual page knows $option"
done <"$dir/options"
if command -v mandoc >/dev/null; then
	is "$(mandoc -T lint -W warning "$man" 2>&1)" "" "the manual page, to mandoc"
elif command -v groff >/dev/null; then
	is "$(groff -man -Tutf8 -ww -z "$man" 2>&1)" "" "the manual page, to groff"
fi

is "$(ls -A "$dir/cwd")" "" "nothing is left behind"
echo "1..$n"
exit $failed
