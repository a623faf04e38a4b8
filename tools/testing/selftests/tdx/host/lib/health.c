// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bits.h>
#include <linux/kernel.h>
#include "health.h"
#include "kvm_tdx.h"

#define TAINT_DIE		BIT(7)
#define TAINT_WARN		BIT(9)

/* What a line of the log holds when the kernel complains about itself or us. */
static const char *const complaints[] = {
	"BUG:", "WARNING:", "Oops", "general protection fault", "SEAMCALL",
	"HKID", "blocked for more than", "soft lockup", "suspicious RCU",
};

static unsigned long read_tainted(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long tainted = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &tainted) != 1)
		tainted = 0;
	fclose(file);
	return tainted & (TAINT_DIE | TAINT_WARN);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void health_begin(struct health *health)
{
	health->kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (health->kmsg_fd >= 0)
		lseek(health->kmsg_fd, 0, SEEK_END);
	health->tainted = read_tainted();
	health->nr_fds = count_fds();
}

/* A record is "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT". */
static bool is_complaint(const char *record)
{
	const char *text = strchr(record, ';');

	for (size_t i = 0; text && i < ARRAY_SIZE(complaints); i++)
		if (strstr(text, complaints[i]))
			return true;
	return false;
}

static int log_complaints(int kmsg_fd)
{
	char record[8192];
	int count = 0;
	ssize_t len;

	while (kmsg_fd >= 0 && (len = read(kmsg_fd, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		if (!is_complaint(record))
			continue;
		record[strcspn(record, "\n")] = '\0';
		error(0, "kernel log: %.200s", strchr(record, ';') + 1);
		count++;
	}
	return count;
}

int health_complaints(struct health *health)
{
	unsigned long tainted = read_tainted();
	int nr_fds = count_fds();
	int count = log_complaints(health->kmsg_fd);

	if (tainted & ~health->tainted) {
		error(0, "the kernel is tainted now: 0x%lx", tainted);
		count++;
	}
	if (nr_fds != health->nr_fds) {
		error(0, "%d open files, %d before", nr_fds, health->nr_fds);
		count++;
	}
	return count;
}

void health_end(struct health *health)
{
	if (health->kmsg_fd >= 0)
		close(health->kmsg_fd);
	health->kmsg_fd = -1;
}
