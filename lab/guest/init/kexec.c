// SPDX-License-Identifier: GPL-2.0-only
/* Another kernel started from this one, in the same TD. */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

/* The host offers the files as disks; the kernel takes them from files only. */
#define COPY	"cat /dev/vdb >/tmp/kernel && cat /dev/vdc >/tmp/initrd"

static int load(const char *cmdline)
{
	int kernel = open("/tmp/kernel", O_RDONLY | O_CLOEXEC);
	int initrd = open("/tmp/initrd", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, 0UL))
		err = errno;
	if (kernel >= 0)
		close(kernel);
	if (initrd >= 0)
		close(initrd);
	return err;
}

/* The kernel and the initial RAM disk that the host offers. */
void step_kexec(void)
{
	const char *nr = getenv("td_nr");
	char cmdline[128];
	int err = 0;

	snprintf(cmdline, sizeof(cmdline), "console=hvc0 quiet td=shell,flags td_nr=%s", nr ? nr : "0");
	if (system(COPY))
		err = EIO;
	if (!err)
		err = load(cmdline);
	show_log();
	tell("kexec", err, NULL);
	sync();
	if (!err)
		reboot(LINUX_REBOOT_CMD_KEXEC);
}
