// SPDX-License-Identifier: GPL-2.0-only
/* What a TD does when its host presses the power button, as "virsh reboot" and "virsh shutdown" do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "steps.h"

#define MAX_INPUTS	4

/* All inputs that there are: which of them is the button need not be known, as there is no keyboard. */
static int open_inputs(struct pollfd *inputs)
{
	char path[32];
	int count = 0;

	for (int nr = 0; nr < MAX_INPUTS; nr++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/input/event%d", nr);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		inputs[count].fd = fd;
		inputs[count++].events = POLLIN;
	}
	return count;
}

static bool is_press(int fd)
{
	struct input_event event;

	return read(fd, &event, sizeof(event)) == sizeof(event) &&
	       event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
}

/* Stay there until the button is pressed: the steps that follow, or powering off, are the answer. */
void step_button(void)
{
	struct pollfd inputs[MAX_INPUTS] = { 0 };
	int count = open_inputs(inputs);
	bool pressed = false;

	tell("waits", count ? 0 : ENODEV, NULL);
	while (count && !pressed) {
		if (poll(inputs, (nfds_t)count, -1) < 0)
			break;
		for (int i = 0; i < count; i++)
			pressed |= inputs[i].revents && is_press(inputs[i].fd);
	}
	tell("button", pressed ? 0 : ENODEV, NULL);
	while (count)
		close(inputs[--count].fd);
}
