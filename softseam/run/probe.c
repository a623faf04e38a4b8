// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "plugin_api.h"
#include "probe.h"
#include "words.h"

#define NEEDED_MAJOR	11
#define NEEDED_MINOR	1

extern char **environ;

/* A QEMU that says nothing for so long is none, however busy the machine is. */
#define PATIENCE_MS	60000

struct answer {
	/* What was said on stdout and stderr, and how long the first line of it is. */
	char text[16384];
	int line;
	/* As wait() has it. */
	int status;
};

/* Start @argv with its output on @fd; not being able to is told in one line. */
static pid_t start(char *const *argv, int fd)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err == ENOENT)
		fail("there is no %s: install QEMU %d.%d or newer, or name it with --qemu",
		     argv[0], NEEDED_MAJOR, NEEDED_MINOR);
	if (err)
		fail("cannot run %s: %s; --qemu names another QEMU", argv[0], strerror(err));
	return pid;
}

/* Returns false if nothing came for long.  More than the buffer holds is no answer. */
static bool read_answer(int fd, struct answer *a)
{
	struct pollfd from = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < sizeof(a->text) - 1) {
		if (poll(&from, 1, PATIENCE_MS) == 0)
			return false;
		got = read(fd, a->text + len, sizeof(a->text) - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	a->text[len] = 0;
	a->line = (int)strcspn(a->text, "\n");
	return true;
}

static void ask(struct answer *a, const char *qemu, const char *option, const char *value)
{
	struct words command = { 0 };
	bool answered;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		fail("cannot make a pipe: %s", strerror(errno));
	words_add(&command, qemu);
	words_add(&command, option);
	if (value)
		words_add(&command, value);
	pid = start(command.word, fds[1]);
	words_free(&command);
	close(fds[1]);
	answered = read_answer(fds[0], a);
	close(fds[0]);
	if (!answered)
		kill(pid, SIGKILL);
	if (waitpid(pid, &a->status, 0) < 0)
		fail("cannot wait for %s: %s", qemu, strerror(errno));
	if (!answered)
		fail("%s %s does not answer: try another QEMU with --qemu", qemu, option);
}

static void check_version(const char *qemu)
{
	unsigned int major, minor;
	const char *version;
	struct answer a;

	ask(&a, qemu, "--version", NULL);
	if (WIFSIGNALED(a.status))
		fail("%s --version was killed by signal %d: try another QEMU with --qemu", qemu,
		     WTERMSIG(a.status));
	if (WEXITSTATUS(a.status))
		fail("%s --version fails with status %d and says '%.*s': try another QEMU with --qemu",
		     qemu, WEXITSTATUS(a.status), a.line, a.text);
	version = strstr(a.text, "QEMU emulator version ");
	if (!version || sscanf(version, "QEMU emulator version %u.%u", &major, &minor) != 2)
		fail("%s is no QEMU, it says '%.*s': --qemu must name a qemu-system-x86_64", qemu,
		     a.line, a.text);
	if (major < NEEDED_MAJOR || (major == NEEDED_MAJOR && minor < NEEDED_MINOR))
		fail("%s is QEMU %u.%u and softseam needs %d.%d, with plugin interface %d: install that, or name it with --qemu",
		     qemu, major, minor, NEEDED_MAJOR, NEEDED_MINOR, PLUGIN_API_VERSION);
}

/* Where plugins are built in, asking for help on them is no error. */
static void check_plugins(const char *qemu)
{
	struct answer a;

	ask(&a, qemu, "-plugin", "help");
	if (!WIFEXITED(a.status) || WEXITSTATUS(a.status))
		fail("%s is built without plugins, it says '%.*s': use one that was configured with --enable-plugins",
		     qemu, a.line, a.text);
}

void probe_qemu(const char *qemu, bool with_plugin)
{
	check_version(qemu);
	if (with_plugin)
		check_plugins(qemu);
}
