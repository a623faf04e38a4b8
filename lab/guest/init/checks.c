// SPDX-License-Identifier: GPL-2.0-only
/* What a TD does with its disk, network and memory, for the host to look at afterwards. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "steps.h"

#define DISK		"/dev/vda"
#define PIECE		(64 * 1024)
#define PAGE		4096
#define FETCHED		"/tmp/sent"
#define ECHO_HOST	"10.0.2.100"
#define ECHO_PORT	7
/* What the rest of the system needs while nearly all memory is in use. */
#define SPARE_BYTES	(48ULL << 20)

/* Write the complement of the first half of the disk into the second half. */
static int invert_half(int fd, uint64_t half, uint8_t *data)
{
	for (uint64_t at = 0; at < half; at += PIECE) {
		if (pread(fd, data, PIECE, (off_t)at) != PIECE)
			return -EIO;
		for (size_t i = 0; i < PIECE; i++)
			data[i] = (uint8_t)~data[i];
		if (pwrite(fd, data, PIECE, (off_t)(half + at)) != PIECE)
			return -EIO;
	}
	return fsync(fd) ? -errno : 0;
}

/* Compare the halves with what the disk itself says now, past the page cache. */
static int compare_halves(int fd, uint64_t half, uint8_t *data)
{
	for (uint64_t at = 0; at < half; at += PIECE) {
		if (pread(fd, data, PIECE, (off_t)at) != PIECE ||
		    pread(fd, data + PIECE, PIECE, (off_t)(half + at)) != PIECE)
			return -EIO;
		for (size_t i = 0; i < PIECE; i++)
			if (data[i] != (uint8_t)~data[PIECE + i])
				return -EILSEQ;
	}
	return 0;
}

void step_disk(void)
{
	int fd = open(DISK, O_RDWR | O_CLOEXEC), err = 0;
	uint8_t *data = aligned_alloc(PAGE, 2 * PIECE);
	uint64_t size = 0;

	if (fd < 0 || !data || ioctl(fd, BLKGETSIZE64, &size))
		err = -errno;
	if (!err)
		err = invert_half(fd, size / 2, data);
	if (fd >= 0)
		close(fd);
	fd = err ? -1 : open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (!err)
		err = fd < 0 ? -errno : compare_halves(fd, size / 2, data);
	tell("disk", -err, "\"bytes\": %llu", (unsigned long long)size);
	if (fd >= 0)
		close(fd);
	free(data);
}

/* Wait until the other side has all that was sent. */
static int drain(int sock)
{
	for (int i = 0, left = 1; i < 2000; i++) {
		if (ioctl(sock, SIOCOUTQ, &left))
			return -errno;
		if (!left)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* Send what came by TFTP to where the host writes it to a file. */
static int send_back(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ECHO_PORT) };
	int in = open(FETCHED, O_RDONLY | O_CLOEXEC);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	to.sin_addr.s_addr = inet_addr(ECHO_HOST);
	if (in < 0 || sock < 0 || connect(sock, (struct sockaddr *)&to, sizeof(to)))
		err = -errno;
	while (!err) {
		ssize_t len = sendfile(sock, in, NULL, PIECE);

		if (len <= 0) {
			err = len ? -errno : drain(sock);
			break;
		}
	}
	if (sock >= 0)
		close(sock);
	if (in >= 0)
		close(in);
	return err;
}

/*
 * An address by DHCP, a file by TFTP, and the same file back by TCP.  Each command says on the
 * console what it does; the host compares what came back.
 */
void step_net(void)
{
	static const char *const commands[] = {
		"ip link set lo up && ip link set eth0 up && udhcpc -i eth0 -n -q -t 10 -T 2 -s /bin/lease",
		"tftp -g -r sent -l " FETCHED " -b 1400 10.0.2.2 2>/dev/null",
	};
	static const char *const names[] = { "dhcp", "tftp" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!system(commands[i]))
			continue;
		tell("net", EIO, "\"failed\": \"%s\"", names[i]);
		return;
	}
	tell("net", -send_back(), NULL);
}

/* Write and read back nearly every page that there is, so that all of it is accepted. */
void step_memory(void)
{
	struct sysinfo info = { 0 };
	uint64_t bytes, bad = 0;
	uint8_t *area;

	sysinfo(&info);
	bytes = (uint64_t)info.freeram * info.mem_unit;
	bytes = bytes > SPARE_BYTES ? (bytes - SPARE_BYTES) & ~(uint64_t)(PAGE - 1) : 0;
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!bytes || area == MAP_FAILED) {
		tell("memory", ENOMEM, NULL);
		return;
	}
	for (uint64_t at = 0; at < bytes; at += PAGE)
		*(uint64_t *)(area + at) = at ^ bytes;
	for (uint64_t at = 0; at < bytes; at += PAGE)
		bad += *(uint64_t *)(area + at) != (at ^ bytes);
	munmap(area, bytes);
	tell("memory", bad ? EIO : 0, "\"bytes\": %llu", (unsigned long long)bytes);
}
