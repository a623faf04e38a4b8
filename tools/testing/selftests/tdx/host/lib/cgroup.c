// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cgroup.h"

#define LEAVE_TRIES		200
#define LEAVE_PAUSE_US		10000

static int write_text(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The value of @key in a file with one key per line, or -1. */
static long read_key(const char *dir, const char *name, const char *key)
{
	char path[512], line[128];
	size_t len = strlen(key);
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && sscanf(line + len, " %ld", &value) == 1)
			break;
	if (file)
		fclose(file);
	return value;
}

/* Where the version 2 hierarchy is mounted. */
static bool find_root(char root[256])
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char line[1024], type[64];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s %255s %63s", root, type) == 2 &&
			!strcmp(type, "cgroup2");
	if (file)
		fclose(file);
	return found;
}

/* The cgroup of this process, which the file has as "0::/PATH". */
static void find_home(const char *root, char home[256])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512], path[200];

	snprintf(home, 256, "%s", root);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "0::%199s", path) == 1)
			snprintf(home, 256, "%.50s%.199s", root, path);
	if (file)
		fclose(file);
}

const char *cgroup_enter(struct cgroup *cg)
{
	char root[256];

	if (!find_root(root))
		return "no cgroup2 is mounted";
	find_home(root, cg->home);
	if (write_text(root, "cgroup.subtree_control", "+misc"))
		return "the misc cgroup controller cannot be enabled";
	write_text(root, "cgroup.subtree_control", "+memory");
	snprintf(cg->path, sizeof(cg->path), "%.200s/tdx-selftest-%d", root, getpid());
	if (mkdir(cg->path, 0755))
		return "a cgroup cannot be created";
	if (write_text(cg->path, "cgroup.procs", "0")) {
		rmdir(cg->path);
		return "this process cannot move to another cgroup";
	}
	return NULL;
}

/* A thread that was joined can still be on its way out of the cgroup. */
int cgroup_leave(struct cgroup *cg)
{
	int ret = write_text(cg->home, "cgroup.procs", "0");

	if (ret)
		return ret;
	for (int i = 0; rmdir(cg->path); i++) {
		if (errno != EBUSY || i == LEAVE_TRIES)
			return -errno;
		usleep(LEAVE_PAUSE_US);
	}
	return 0;
}

long cgroup_tdx_capacity(void)
{
	char root[256];

	return find_root(root) ? read_key(root, "misc.capacity", "tdx ") : -1;
}

long cgroup_tdx_current(struct cgroup *cg)
{
	return read_key(cg->path, "misc.current", "tdx ");
}

long cgroup_kernel_kb(struct cgroup *cg)
{
	long bytes = read_key(cg->path, "memory.stat", "kernel ");
	long guests = read_key(cg->path, "memory.stat", "file ");

	return bytes < 0 ? -1 : (bytes + guests) / 1024;
}

int cgroup_tdx_limit(struct cgroup *cg, long max)
{
	char text[32];

	if (max < 0)
		snprintf(text, sizeof(text), "tdx max");
	else
		snprintf(text, sizeof(text), "tdx %ld", max);
	return write_text(cg->path, "misc.max", text);
}
