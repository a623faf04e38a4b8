// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs on a TDX host in the lab and goes through a list of faults.  For each, a TD
 * lives from creation to destruction while softseam dictates the result of one
 * of its SEAMCALLs, or the kernel fails one of its allocations.  Then one without
 * faults has to be well.
 *
 * Each line of the list is a fault: what softseam's inject= takes, or "thread N",
 * "vcpu N" or "destroy N" for the Nth allocation of the thread that launches, of
 * the vCPU's, or while the TD is destroyed.
 * Each fault becomes one line of JSON, which the lab judges.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_LEAF		0x5ea50000u
#define CONTROL_VERSION		1
/* Those of softseam, and then what the kernel itself counts of PAMT pages that it could not take back. */
#define NR_SEAM_FIGURES		5
#define NR_FIGURES		7
#define FIGURE_KEYIDS		3

#define TEXT_SIZE		128
/* A life takes well below a second. */
#define PATIENCE_MS		5000
#define SETTLE_MS		1000
/* With fewer free KeyIDs than this, a healthy TD proves nothing. */
#define KEYIDS_LIMIT		24

#define CLEAR_WARN_ONCE		"/sys/kernel/debug/clear_warn_once"
#define SAID			"/tmp/said"
#define PAMT			"/sys/devices/faux/tdx_host/pamt/"

enum control {
	CONTROL_PROBE,
	CONTROL_INJECT,
	CONTROL_STOP,
	CONTROL_FIGURE,
};

struct life {
	int status, signal;
	bool timed_out;
	double seconds;
};

static uint64_t control(enum control function, uint64_t rbx)
{
	uint64_t rax = CONTROL_LEAF, rcx = function, rdx = 0;

	__asm__ volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx) : : "memory");
	return rax;
}

static uint64_t read_number(const char *path)
{
	unsigned long number;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%lu", &number) != 1) {
		fprintf(stderr, "sweep: %s does not have a number\n", path);
		exit(1);
	}
	fclose(f);
	return number;
}

static void read_figures(uint64_t figure[NR_FIGURES])
{
	for (unsigned int i = 0; i < NR_SEAM_FIGURES; i++)
		figure[i] = control(CONTROL_FIGURE, i);
	figure[NR_SEAM_FIGURES] = read_number(PAMT "stuck");
	figure[NR_SEAM_FIGURES + 1] = read_number(PAMT "leaked");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		fprintf(stderr, "sweep: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

static void exec_launch(const char *option, const char *value)
{
	int fd = open(SAID, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execlp("tdx_launch", "tdx_launch", "--mem", "16", "--accept", "1", "--convert", "16", option,
	       value, (char *)NULL);
	_exit(127);
}

static void reap(pid_t pid, struct life *life)
{
	double start = now();
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!life->timed_out && now() - start > PATIENCE_MS / 1e3) {
			life->timed_out = true;
			kill(pid, SIGKILL);
		}
		/* Not even killed: nothing more can be done on this host. */
		if (now() - start > 3 * PATIENCE_MS / 1e3) {
			life->signal = -1;
			return;
		}
		usleep(1000);
	}
	life->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	life->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	life->seconds = now() - start;
}

static struct life live(const char *option, const char *value)
{
	struct life life = { 0 };
	pid_t pid = fork();

	if (!pid)
		exec_launch(option, value);
	reap(pid, &life);
	return life;
}

static void print_string(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* What the kernel logged since the last call; each record is "prefix;text". */
static void print_log(const char *name, int kmsg)
{
	char record[2048];
	bool first = true;
	ssize_t len;

	printf("\"%s\": [", name);
	for (;;) {
		const char *text, *end;

		len = read(kmsg, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE) {
			printf("%s\"records were lost\"", first ? "" : ", ");
			first = false;
			continue;
		}
		if (len <= 0)
			break;
		record[len] = '\0';
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		end = strchrnul(text, '\n');
		printf(first ? "" : ", ");
		print_string(text, (size_t)(end - text));
		first = false;
	}
	printf("]");
}

static void print_said(const char *name)
{
	char text[4096] = "";
	FILE *f = fopen(SAID, "r");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	printf("\"%s\": ", name);
	print_string(text, len);
}

static void print_figures(const char *name, const uint64_t figure[NR_FIGURES])
{
	printf("\"%s\": [", name);
	for (unsigned int i = 0; i < NR_FIGURES; i++)
		printf("%s%lu", i ? ", " : "", figure[i]);
	printf("], ");
}

/* The last of a TD goes when its last user has closed it. */
static void settle(const uint64_t before[NR_FIGURES], uint64_t after[NR_FIGURES])
{
	for (int ms = 0; ms < SETTLE_MS; ms += 10) {
		read_figures(after);
		if (!memcmp(before, after, NR_FIGURES * sizeof(*after)))
			return;
		usleep(10000);
	}
}

static const char *option_for(const char *fault)
{
	switch (*fault) {
	case 'v':
		return "--vcpu-fail-nth";
	case 'd':
		return "--destroy-fail-nth";
	default:
		return "--fail-nth";
	}
}

/* The fault stands until all of the TD is gone. */
static struct life live_with(const char *fault, const uint64_t before[NR_FIGURES],
			     uint64_t after[NR_FIGURES], uint64_t *fired)
{
	static char text[TEXT_SIZE] __attribute__((aligned(TEXT_SIZE)));
	const char *nth = strchr(fault, ' ');
	struct life life;

	*fired = 0;
	if (!nth) {
		snprintf(text, sizeof(text), "%s", fault);
		if (control(CONTROL_INJECT, (uint64_t)text)) {
			fprintf(stderr, "sweep: softseam does not take the fault '%s'\n", fault);
			exit(1);
		}
	}
	life = nth ? live(option_for(fault), nth + 1) : live(NULL, NULL);
	settle(before, after);
	if (!nth)
		*fired = control(CONTROL_STOP, 0);
	return life;
}

/* Returns false if no more faults should be tried on this host. */
static bool try_fault(const char *fault, int kmsg)
{
	uint64_t before[NR_FIGURES], after[NR_FIGURES], end[NR_FIGURES], fired;
	struct life life, healthy = { .status = 1 };

	write_file(CLEAR_WARN_ONCE, "1");
	lseek(kmsg, 0, SEEK_END);
	read_figures(before);
	life = live_with(fault, before, after, &fired);

	printf("{\"fault\": \"%s\", \"fired\": %lu, \"status\": %d, \"signal\": %d, \"timed_out\": %s, ",
	       fault, fired, life.status, life.signal, life.timed_out ? "true" : "false");
	printf("\"seconds\": %.3f, ", life.seconds);
	print_figures("before", before);
	print_figures("after", after);
	print_said("said");
	printf(", ");
	print_log("log", kmsg);

	if (life.signal >= 0)
		healthy = live(NULL, NULL);
	settle(after, end);
	printf(", \"healthy\": %s, ", healthy.status || healthy.signal ? "false" : "true");
	printf("\"healthy_seconds\": %.3f, ", healthy.seconds);
	print_said("healthy_said");
	printf(", ");
	print_figures("end", end);
	print_log("healthy_log", kmsg);
	printf("}\n");
	fflush(stdout);
	return life.signal >= 0 && !healthy.status && !healthy.signal &&
	       after[FIGURE_KEYIDS] < KEYIDS_LIMIT;
}

static void prepare_allocations(void)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" }, { "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" }, { "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" }, { "fail_page_alloc/verbose", "0" },
	};
	char path[96];

	if (access("/sys/kernel/debug/failslab", F_OK))
		return;
	for (unsigned int i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", settings[i][0]);
		write_file(path, settings[i][1]);
	}
}

int main(int argc, char **argv)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char fault[TEXT_SIZE];
	FILE *list;

	if (control(CONTROL_PROBE, 0) != CONTROL_VERSION) {
		fputs("sweep: softseam does not answer; it needs control=on\n", stderr);
		return 1;
	}
	list = argc == 2 ? fopen(argv[1], "r") : NULL;
	if (!list || kmsg < 0) {
		fputs("sweep: needs a list that can be read, and /dev/kmsg\n", stderr);
		return 1;
	}
	prepare_allocations();
	if (live(NULL, NULL).status) {
		fputs("sweep: a TD without faults is not well\n", stderr);
		return 1;
	}
	while (fgets(fault, sizeof(fault), list)) {
		fault[strcspn(fault, "\n")] = '\0';
		if (!try_fault(fault, kmsg))
			break;
	}
	return 0;
}
