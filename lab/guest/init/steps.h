/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STEPS_H
#define STEPS_H

/* One JSON line about a step; @err is 0 or an errno, @fmt adds members. */
void __attribute__((format(printf, 3, 4))) tell(const char *step, int err, const char *fmt, ...);

/* The kernel's log on the console. */
void show_log(void);

void step_disk(void);
void step_flags(void);
void step_net(void);
void step_kexec(void);
void step_memory(void);
void step_code(void);
void step_button(void);

#endif
