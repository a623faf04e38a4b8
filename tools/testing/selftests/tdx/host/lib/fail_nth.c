// SPDX-License-Identifier: GPL-2.0
/* Allocations of the kernel that fail on behalf of one thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fail_nth.h"
#include "kvm_tdx.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"

int fail_nth(unsigned int nth)
{
	char text[16];
	int fd, len;

	if (!nth)
		return 0;

	len = snprintf(text, sizeof(text), "%u", nth);
	fd = open(FAIL_NTH, O_WRONLY);
	if (fd < 0)
		return error(-errno, FAIL_NTH ": %s", strerror(errno));
	if (write(fd, text, len) != len) {
		close(fd);
		return error(-errno, FAIL_NTH ": %s", strerror(errno));
	}
	close(fd);
	return 0;
}

unsigned int fail_nth_count(unsigned int nth)
{
	char text[16] = "";
	int fd;

	if (!nth)
		return 0;

	fd = open(FAIL_NTH, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		snprintf(text, sizeof(text), "%u", nth);
	close(fd);
	return nth - strtoul(text, NULL, 10);
}
