// SPDX-License-Identifier: GPL-2.0-only
/* softseam-run: starts QEMU with all that softseam needs of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "machine.h"
#include "plugin_file.h"
#include "probe.h"

#define QEMU	"qemu-system-x86_64"

static const char help[] =
"Usage: softseam-run [OPTION...] [-- QEMU-OPTION...]\n"
"Start QEMU as a TDX host, with softseam as its TDX module.\n"
"\n"
"The machine:\n"
"  --cpus N            CPUs (default 2)\n"
"  --memory MB         RAM (default 1024)\n"
"  --sockets N         CPU packages, which share the CPUs evenly (default 1)\n"
"  --nodes N           NUMA nodes, which share CPUs and RAM evenly (default 1)\n"
"  --tds on|off        off: leave out what only TDs need to run (default on)\n"
"  --seam KEY=VALUE    an argument of softseam, see its README; may be repeated\n"
"\n"
"What it boots:\n"
"  -kernel FILE        a kernel; without one, a disk among the QEMU-OPTIONs\n"
"  -initrd FILE        its initial RAM disk\n"
"  -append ARGS        its arguments; what a TDX host needs is added\n"
"  --no-kernel-args    add nothing\n"
"\n"
"How:\n"
"  --qemu PATH         QEMU (default qemu-system-x86_64 in $PATH)\n"
"  --plugin PATH       softseam.so (default beside this program, or in its\n"
"                      ../lib/softseam); none: the same machine on QEMU alone\n"
"  --print             show the command instead of running it\n"
"  --help              show this\n"
"\n"
"QEMU takes this program's place, so its exit status is QEMU's.  Without QEMU\n"
"it is 2 when an option is wrong, 1 when something is missing.\n";

static void flush_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		fail("cannot write: %s", strerror(errno));
}

/* QEMU would say it, too, but not always by which option. */
static void check_readable(const char *option, const char *path)
{
	if (path && access(path, R_OK))
		fail("-%s %s: %s", option, path, strerror(errno));
}

int main(int argc, char **argv)
{
	struct words command = { 0 };
	struct request request;
	char *plugin = NULL;
	const char *qemu;

	request_parse(&request, argc, argv);
	if (request.help) {
		fputs(help, stdout);
		flush_output();
		free(request.seam);
		return 0;
	}

	check_readable("kernel", request.kernel);
	check_readable("initrd", request.initrd);
	qemu = request.qemu ? request.qemu : QEMU;
	if (request_has_plugin(&request)) {
		plugin = plugin_file_find(request.plugin);
		plugin_file_check(plugin);
	}
	probe_qemu(qemu, plugin);
	machine_command(&command, &request, qemu, plugin);
	if (request.print) {
		words_print(&command, stdout);
		flush_output();
	} else {
		execvp(qemu, command.word);
		fail("cannot run %s: %s; --qemu names another QEMU", qemu, strerror(errno));
	}
	words_free(&command);
	free(request.seam);
	free(plugin);
	return 0;
}
