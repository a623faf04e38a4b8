// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a TDX host in the lab.
 *
 * The kernel command line says what to do, e.g. lab=kvm,vm,offline:1,online:1.
 * Each step writes one JSON line to the second serial port, which the lab reads
 * (see agent_line() for its form); then the machine is powered off.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGENT_PORT	"/dev/ttyS1"
#define OUTPUT_PORT	"/dev/ttyS2"
#define MAX_WORDS	16
#define MODULE_DIR	"/modules"
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static FILE *agent;

static double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* @err is 0 or an errno; @fmt adds members, e.g. "\"value\": %d". */
static void __attribute__((format(printf, 4, 5)))
agent_line(const char *step, const char *arg, int err, const char *fmt, ...)
{
	va_list ap;

	fprintf(agent, "{\"step\": \"%s\", \"arg\": \"%s\", \"ok\": %s, \"errno\": %d, \"uptime\": %.3f",
		step, arg, err ? "false" : "true", err, uptime());
	if (fmt) {
		fputs(", ", agent);
		va_start(ap, fmt);
		vfprintf(agent, fmt, ap);
		va_end(ap);
	}
	fputs("}\n", agent);
	fflush(agent);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int load_module(const char *name, const char *params)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), MODULE_DIR "/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		err = errno;
	close(fd);
	return err;
}

/* Load a module and, before it, what the file NAME.deps lists. */
static void step_load(const char *name)
{
	char path[64], dep[64], params[64] = "";
	FILE *deps;
	int err = 0;

	snprintf(path, sizeof(path), MODULE_DIR "/%s.deps", name);
	deps = fopen(path, "r");
	while (deps && fscanf(deps, "%63s", dep) == 1) {
		err = load_module(dep, "");
		if (err && err != EEXIST)
			break;
		err = 0;
	}
	if (deps)
		fclose(deps);
	if (!strcmp(name, "kvm-intel"))
		strcpy(params, "tdx=1");
	if (!err)
		err = load_module(name, params);
	agent_line("load", name, err, NULL);
}

static void step_unload(const char *name)
{
	int err = syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;

	agent_line("unload", name, err, NULL);
}

/* Which VM types does KVM offer, and can a TDX VM be created? */
static void step_vm(const char *arg)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int types, vm, err;

	if (kvm < 0) {
		agent_line("vm", arg, errno, NULL);
		return;
	}
	types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_TDX_VM);
	err = vm < 0 ? errno : 0;
	if (vm >= 0)
		close(vm);
	close(kvm);
	agent_line("vm", arg, err, "\"kvm_vm_types\": %d", types);
}

static void set_online(const char *step, const char *cpu, const char *value)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%s/online", cpu);
	agent_line(step, cpu, write_file(path, value), NULL);
}

static void step_offline(const char *cpu)
{
	set_online("offline", cpu, "0");
}

static void step_online(const char *cpu)
{
	set_online("online", cpu, "1");
}

/* Blanks cannot stand on the kernel's command line: a plus is one here. */
static void exec_words(char *words)
{
	char *argv[MAX_WORDS + 1];
	int n = 0;

	for (char *at = words; (at = strchr(at, ':')); )
		*at = ',';
	while (n < MAX_WORDS && (argv[n] = strsep(&words, "+")))
		n++;
	argv[n] = NULL;
	execvp(argv[0], argv);
}

/*
 * Wait for one child and, as the first process must, for all orphans that end before: who waits for
 * such a process to be gone, as libvirt does, would wait forever.
 */
static bool wait_for(pid_t pid, int *status)
{
	pid_t gone;

	do
		gone = wait(status);
	while (gone != pid && (gone > 0 || errno == EINTR));
	return gone == pid;
}

/*
 * Run PROGRAM+ARG+...; a colon stands for a comma, which would end the step.  What it
 * writes goes to the third serial port.
 */
static void step_run(const char *command)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int out = open(OUTPUT_PORT, O_WRONLY);

		dprintf(out, "# run %s\n", command);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		exec_words(strdup(command));
		_exit(127);
	}
	if (pid < 0 || !wait_for(pid, &status)) {
		agent_line("run", command, errno, NULL);
		return;
	}
	agent_line("run", command, status ? EIO : 0, "\"status\": %d",
		   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Run PROGRAM+ARG+... on the console, with a terminal of its own. */
static void step_console(const char *command)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		setsid();
		exec_words(strdup(command));
		_exit(127);
	}
	if (pid < 0 || !wait_for(pid, &status))
		agent_line("console", command, errno, NULL);
	else
		agent_line("console", command, status ? EIO : 0, NULL);
}

/* A prompt on the console, with a terminal of its own for job control. */
static void step_shell(const char *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		setsid();
		execl("/bin/busybox", "busybox", "cttyhack", "sh", "-l", (char *)NULL);
		_exit(127);
	}
	wait_for(pid, &status);
	agent_line("shell", arg, 0, NULL);
}

static void power(const char *step, int how)
{
	agent_line(step, "", 0, NULL);
	sync();
	reboot(how);
}

static void step_poweroff(const char *arg)
{
	(void)arg;
	power("poweroff", LINUX_REBOOT_CMD_POWER_OFF);
}

static void step_reboot(const char *arg)
{
	(void)arg;
	power("reboot", LINUX_REBOOT_CMD_RESTART);
}

static const struct {
	const char *name;
	void (*run)(const char *arg);
} steps[] = {
	{ "load", step_load },
	{ "unload", step_unload },
	{ "vm", step_vm },
	{ "offline", step_offline },
	{ "online", step_online },
	{ "run", step_run },
	{ "console", step_console },
	{ "shell", step_shell },
	{ "poweroff", step_poweroff },
	{ "reboot", step_reboot },
};

static void run_step(char *step)
{
	char *arg = strchr(step, ':');

	if (arg)
		*arg++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (strcmp(steps[i].name, step))
			continue;
		steps[i].run(arg ? arg : "");
		return;
	}
	agent_line(step, "", EINVAL, NULL);
}

static void mount_all(void)
{
	static const char *const fs[][2] = {
		{ "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" },
		{ "debugfs", "/sys/kernel/debug" }, { "tmpfs", "/tmp" },
		{ "cgroup2", "/sys/fs/cgroup" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fs); i++) {
		mkdir(fs[i][1], 0755);
		mount(fs[i][0], fs[i][1], fs[i][0], 0, NULL);
	}
}

int main(void)
{
	/* The kernel hands words of its command line that it does not know to init. */
	const char *plan = getenv("lab");
	char *list, *step;

	mount_all();
	setenv("PATH", "/bin:/sbin", 1);
	agent = fopen(AGENT_PORT, "w");
	if (!agent)
		agent = stderr;
	agent_line("boot", "", 0, NULL);
	list = strdup(plan ? plan : "");
	while (list && (step = strsep(&list, ",")))
		if (*step)
			run_step(step);
	step_poweroff("");
	return 1;
}
