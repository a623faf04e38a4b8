// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts TDs on a TDX host of the lab: td_host TOOLBOX-TAG WORK-TAG NR-OF-TDS [console|AT-ONCE]
 *
 * QEMU comes from the toolbox, which the machine below shares through 9p, and runs in it; the
 * folder of the run is at /mnt there.  Of each TD, /mnt/td-N.argv has QEMU's command line, one
 * word a line.  No more than AT-ONCE run at a time, if that is given.  A JSON line tells when each
 * QEMU ended, and how; with "console" it is the TD's console that is on the terminal instead.
 * Where there is a file /mnt/td-N.kill, the QEMU of that TD is killed as soon as the TD's own lines,
 * in /mnt/guest-N.jsonl, hold the word in it, or so many seconds after its start if the word is a
 * number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT		"/toolbox"
#define WORK		"/mnt"
#define COMMON		"trans=virtio,version=9p2000.L,msize=262144"
/* As QEMU's user network, which the machine below chose, has it. */
#define NETWORK		"eth0"
#define ADDRESS		"10.0.3.15"
#define NETMASK		"255.255.255.0"
#define GATEWAY		"10.0.3.2"
#define MAX_WORDS	200
#define MAX_TDS		64

struct td {
	pid_t pid;
	double started;
};

static double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	printf("td_host: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must_mount(const char *from, const char *to, const char *type, unsigned long flags,
		       const char *options)
{
	if (mount(from, to, type, flags, options))
		die(to);
}

/* The toolbox, with what QEMU needs of this machine in it. */
static void mount_all(const char *toolbox, const char *work)
{
	mkdir(ROOT, 0755);
	must_mount(toolbox, ROOT, "9p", MS_RDONLY, COMMON ",cache=loose");
	must_mount(work, ROOT WORK, "9p", 0, COMMON ",cache=none");
	must_mount("/dev", ROOT "/dev", NULL, MS_BIND, NULL);
	must_mount("proc", ROOT "/proc", "proc", 0, NULL);
	must_mount("sysfs", ROOT "/sys", "sysfs", 0, NULL);
	must_mount("tmpfs", ROOT "/tmp", "tmpfs", 0, NULL);
}

static void set_address(int fd, unsigned long what, const char *name, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	in.sin_addr.s_addr = inet_addr(address);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	if (ioctl(fd, what, &request))
		die(name);
}

static void set_up(int fd, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		die(name);
}

/* The network of the machine below, if it gave this host one. */
static void network_up(int fd)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in any = { .sin_family = AF_INET }, gateway = any;

	if (!if_nametoindex(NETWORK))
		return;
	set_address(fd, SIOCSIFADDR, NETWORK, ADDRESS);
	set_address(fd, SIOCSIFNETMASK, NETWORK, NETMASK);
	set_up(fd, NETWORK);
	gateway.sin_addr.s_addr = inet_addr(GATEWAY);
	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	memcpy(&route.rt_gateway, &gateway, sizeof(gateway));
	if (ioctl(fd, SIOCADDRT, &route))
		die("route");
}

/* QEMU's user network has sockets on the loopback interface. */
static void networks_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	set_up(fd, "lo");
	network_up(fd);
	close(fd);
}

/* Does not return. */
static void exec_td(int nr, bool console)
{
	char path[64], *words[MAX_WORDS + 1], *word = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *in;
	int n = 0, log;

	if (chroot(ROOT) || chdir(WORK))
		die(ROOT);
	/* What QEMU would keep in /tmp would be in the host's memory. */
	setenv("TMPDIR", WORK, 1);
	snprintf(path, sizeof(path), WORK "/td-%d.argv", nr);
	in = fopen(path, "re");
	if (!in)
		die(path);
	while (n < MAX_WORDS && (len = getline(&word, &size, in)) > 0) {
		word[len - 1] = '\0';
		words[n++] = strdup(word);
	}
	words[n] = NULL;
	snprintf(path, sizeof(path), WORK "/qemu-%d.log", nr);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (log < 0)
		die(path);
	if (!console)
		dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvp(words[0], words);
	dprintf(log, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

/* Whether @wanted is in the file; an empty file has nothing. */
static bool file_has(const char *path, const char *wanted)
{
	static char text[1 << 16];
	FILE *in = fopen(path, "re");
	size_t len;

	if (!in)
		return false;
	len = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[len] = '\0';
	return strstr(text, wanted);
}

/* A process beside the TD's QEMU that kills it when its time has come. */
static void start_killer(int nr, pid_t pid)
{
	char path[80], word[64] = "";
	FILE *in;
	int left;

	snprintf(path, sizeof(path), ROOT WORK "/td-%d.kill", nr);
	in = fopen(path, "re");
	if (!in)
		return;
	if (fscanf(in, "%63s", word) != 1)
		die(path);
	fclose(in);
	if (fork())
		return;
	snprintf(path, sizeof(path), ROOT WORK "/guest-%d.jsonl", nr);
	left = atoi(word);
	if (left)
		sleep(left);
	while (!left && !file_has(path, word) && !kill(pid, 0))
		usleep(100000);
	kill(pid, SIGKILL);
	_exit(0);
}

static void tell_end(int nr, const struct td *td, int status)
{
	printf("{\"qemu\": %d, \"started\": %.3f, \"ended\": %.3f, \"status\": %d, \"signal\": %d}\n", nr,
	       td->started, uptime(), WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	fflush(stdout);
}

/* Wait until one more TD has ended.  Returns whether it failed, or -1 if there is none left. */
static int wait_for_one(struct td *tds, int nr_tds, bool console)
{
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		for (int i = 0; i < nr_tds; i++) {
			if (tds[i].pid != pid)
				continue;
			if (!console)
				tell_end(i, &tds[i], status);
			return status != 0;
		}
	}
	return -1;
}

static void start_td(struct td *td, int nr, bool console)
{
	td->started = uptime();
	td->pid = fork();
	if (!td->pid)
		exec_td(nr, console);
	if (td->pid < 0)
		die("fork");
	start_killer(nr, td->pid);
}

int main(int argc, char **argv)
{
	static struct td tds[MAX_TDS];
	int nr_tds = argc > 3 ? atoi(argv[3]) : 0, at_once = nr_tds, failed = 0, one;
	bool console = argc > 4 && !strcmp(argv[4], "console");

	if (argc > 4 && !console)
		at_once = atoi(argv[4]);
	if (nr_tds < 1 || nr_tds > MAX_TDS || at_once < 1) {
		printf("td_host: usage: td_host TOOLBOX-TAG WORK-TAG NR-OF-TDS [console|AT-ONCE]\n");
		return 2;
	}
	mount_all(argv[1], argv[2]);
	networks_up();
	fflush(stdout);
	for (int i = 0; i < nr_tds; i++) {
		if (i >= at_once)
			failed |= wait_for_one(tds, i, console);
		start_td(&tds[i], i, console);
	}
	while ((one = wait_for_one(tds, nr_tds, console)) >= 0)
		failed |= one;
	return failed ? 1 : 0;
}
