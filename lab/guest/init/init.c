// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a Linux TD in the lab.
 *
 * The kernel command line says what to do, e.g. td=shell,report,disk,net.  What comes of it
 * goes as JSON lines through a virtio port to a file of the host: a serial port would cost a
 * switch of worlds for each byte.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/tdx-guest.h>

#include "steps.h"

#define MODULE_LIST	"/modules/order"
#define WARNING_LEVEL	'4'
#define CONSOLE		"/dev/hvc0"
#define REPORT_DEVICE	"/dev/tdx_guest"
#define EVENT_LOG	"/sys/firmware/acpi/tables/data/CCEL"
#define MAX_EVENT_LOG	(1 << 20)
/* An unused part of the range of CPUID leaves that a TD's kernel asks the host for. */
#define MARK_LEAF	0x4f5ea000
#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

static FILE *port;
/* Somebody works at the console. */
static bool has_user;

static double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void tell(const char *step, int err, const char *fmt, ...)
{
	va_list ap;

	fprintf(port, "{\"step\": \"%s\", \"ok\": %s, \"errno\": %d, \"uptime\": %.3f",
		step, err ? "false" : "true", err, uptime());
	if (fmt) {
		fputs(", ", port);
		va_start(ap, fmt);
		vfprintf(port, fmt, ap);
		va_end(ap);
	}
	fputs("}\n", port);
	fflush(port);
}

/* Seen by softseam, whose trace then says when which TD got so far. */
static void mark(unsigned int stage)
{
	const char *nr = getenv("td_nr");
	unsigned int a = MARK_LEAF + 16 * (nr ? (unsigned int)atoi(nr) : 0) + stage, b, c = 0, d;

	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
}

static void mount_all(void)
{
	static const char *const fs[][2] = {
		{ "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" }, { "tmpfs", "/tmp" },
		{ "configfs", "/sys/kernel/config" }, { "securityfs", "/sys/kernel/security" },
	};

	for (size_t i = 0; i < sizeof(fs) / sizeof(fs[0]); i++) {
		mkdir(fs[i][1], 0755);
		mount(fs[i][0], fs[i][1], fs[i][0], 0, NULL);
	}
}

/* The name of the virtio port that the host calls @wanted is in sysfs. */
static bool port_path(const char *wanted, char *path, size_t size)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	char file[300], name[64] = "";
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		FILE *in;

		snprintf(file, sizeof(file), "/sys/class/virtio-ports/%s/name", entry->d_name);
		in = fopen(file, "r");
		if (!in)
			continue;
		if (fscanf(in, "%63s", name) != 1)
			name[0] = '\0';
		fclose(in);
		if (strcmp(name, wanted))
			continue;
		snprintf(path, size, "/dev/%s", entry->d_name);
		break;
	}
	if (dir)
		closedir(dir);
	return !strcmp(name, wanted);
}

static void open_port(void)
{
	char path[280];

	/* The console comes up in its own time. */
	for (int i = 0; !port && i < 500; i++) {
		if (port_path("softseam.lab", path, sizeof(path)))
			port = fopen(path, "w");
		else
			usleep(10000);
	}
	if (!port)
		port = stderr;
	else
		setvbuf(port, NULL, _IOFBF, 1 << 16);
}

/* Modules in the order in which they need each other; one that the kernel has built in is no error. */
static void load_modules(void)
{
	FILE *list = fopen(MODULE_LIST, "r");
	char name[128];

	while (list && fscanf(list, "%127s", name) == 1) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			tell("module", errno, "\"name\": \"%s\"", name);
		if (fd >= 0)
			close(fd);
	}
	if (list)
		fclose(list);
}

static void tell_hex(const char *step, const uint8_t *data, size_t size)
{
	fprintf(port, "{\"step\": \"%s\", \"ok\": true, \"data\": \"", step);
	for (size_t i = 0; i < size; i++)
		fprintf(port, "%02x", data[i]);
	fputs("\"}\n", port);
	fflush(port);
}

/* The report holds bytes that the host knows, so that it is known to be a new one. */
static void step_report(void)
{
	static struct tdx_report_req req;
	int fd = open(REPORT_DEVICE, O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(req.reportdata); i++)
		req.reportdata[i] = (uint8_t)(i ^ 0x5e);
	if (fd < 0 || ioctl(fd, TDX_CMD_GET_REPORT0, &req))
		tell("report", errno, NULL);
	else
		tell_hex("report", req.tdreport, sizeof(req.tdreport));
	if (fd >= 0)
		close(fd);
}

/* Space behind the last event is full of one byte, which need not be told. */
static void step_events(void)
{
	uint8_t *log = malloc(MAX_EVENT_LOG);
	FILE *in = fopen(EVENT_LOG, "r");
	size_t size;

	if (!in || !log) {
		tell("events", errno, NULL);
		return;
	}
	size = fread(log, 1, MAX_EVENT_LOG, in);
	fclose(in);
	while (size > 1 && log[size - 1] == log[size - 2] && (log[size - 1] == 0xff || !log[size - 1]))
		size--;
	/* Zeros can be the end of an event: some more do no harm. */
	tell_hex("events", log, size + 64 < MAX_EVENT_LOG ? size + 64 : size);
	free(log);
}

static void step_shell(void)
{
	char answer[32] = "";
	FILE *sh = popen("echo shell $((6*7))", "r");

	if (sh && !fgets(answer, sizeof(answer), sh))
		answer[0] = '\0';
	if (sh)
		pclose(sh);
	mark(2);
	tell("shell", strcmp(answer, "shell 42\n") ? EIO : 0, NULL);
}

/*
 * Lines of the kernel's log begin with a level, e.g. "<6>": leave it to warnings and what
 * is worse, by which the lab knows them; returns the new length.
 */
static ssize_t without_levels(char *text, ssize_t len)
{
	ssize_t to = 0;

	for (ssize_t from = 0; from < len; from++) {
		bool start = !from || text[from - 1] == '\n';

		if (start && len - from > 3 && text[from] == '<' && text[from + 2] == '>' &&
		    text[from + 1] > WARNING_LEVEL)
			from += 3;
		text[to++] = text[from];
	}
	return to;
}

/* The kernel's log in few large pieces; the console itself is quiet, or has a user. */
void show_log(void)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), out = open(CONSOLE, O_WRONLY | O_NOCTTY);
	char *text = size > 0 && !has_user ? malloc((size_t)size) : NULL;
	ssize_t done, len = text ? without_levels(text, klogctl(KLOG_READ_ALL, text, size)) : 0;
	struct termios mode;

	/* A terminal that turns newlines into two letters hands over each line by itself. */
	if (!tcgetattr(out, &mode)) {
		cfmakeraw(&mode);
		tcsetattr(out, TCSANOW, &mode);
	}

	for (char *at = text; len > 0 && out >= 0; at += done, len -= done) {
		done = write(out, at, (size_t)len);
		if (done <= 0)
			break;
	}
	if (out >= 0)
		close(out);
	free(text);
}

static void step_poweroff(void)
{
	show_log();
	mark(3);
	tell("poweroff", 0, NULL);
	sync();
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

static void step_reboot(void)
{
	show_log();
	mark(4);
	tell("reboot", 0, NULL);
	sync();
	reboot(LINUX_REBOOT_CMD_RESTART);
}

static void step_crash(void)
{
	FILE *trigger = fopen("/proc/sysrq-trigger", "w");

	show_log();
	tell("crash", trigger ? 0 : errno, NULL);
	if (trigger) {
		fputs("c", trigger);
		fclose(trigger);
	}
}

/* Stay there until the host ends the TD. */
static void step_wait(void)
{
	tell("wait", 0, NULL);
	for (;;)
		pause();
}

static void step_prompt(void)
{
	pid_t pid = fork();

	has_user = true;
	if (!pid) {
		setsid();
		execl("/bin/busybox", "busybox", "cttyhack", "sh", "-l", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} steps[] = {
	{ "shell", step_shell },
	{ "report", step_report },
	{ "events", step_events },
	{ "flags", step_flags },
	{ "disk", step_disk },
	{ "net", step_net },
	{ "memory", step_memory },
	{ "code", step_code },
	{ "kexec", step_kexec },
	{ "crash", step_crash },
	{ "wait", step_wait },
	{ "button", step_button },
	{ "prompt", step_prompt },
	{ "reboot", step_reboot },
	{ "poweroff", step_poweroff },
};

static void run_step(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].name, name))
			continue;
		steps[i].run();
		return;
	}
	tell(name, EINVAL, NULL);
}

int main(void)
{
	/* The kernel hands words of its command line that it does not know to init. */
	const char *plan = getenv("td");
	struct sysinfo info = { 0 };
	double since_start;
	char *list, *step;

	mount_all();
	since_start = uptime();
	mark(1);
	setenv("PATH", "/bin:/sbin", 1);
	open_port();
	sysinfo(&info);
	tell("boot", 0, "\"since_start\": %.3f, \"cpus\": %ld, \"memory_kb\": %lu", since_start,
	     sysconf(_SC_NPROCESSORS_ONLN), info.totalram * info.mem_unit / 1024);
	load_modules();
	list = strdup(plan ? plan : "shell");
	while (list && (step = strsep(&list, ",")))
		if (*step)
			run_step(step);
	step_poweroff();
	return 1;
}
