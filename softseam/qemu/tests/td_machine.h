/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU of the fake QEMU with a window, and a model that is scripted: what it
 * takes to test the way into a TD and back.
 */
#ifndef SOFTSEAM_TD_MACHINE_H
#define SOFTSEAM_TD_MACHINE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fake_qemu.h"
#include "fake_window.h"
#include "run_td.h"

#include <cmocka.h>

/* Where the world switch is, and where the host has what. */
#define CODE		UINT64_C(0x7f8000000000)
#define DATA		(CODE + 4096)
#define HOST_ROOT	0x5000
#define HOST_RSP	0x4000
#define KERNEL_SLOT	511
#define NOTHING		(~UINT64_C(0))

/* One guest, and what the model says of addresses and exits. */
struct scripted_model {
	struct guest_run run;
	/* Pages that are there: 4K each from @gpa to @end, or one of 2M. */
	uint64_t gpa, end, pa;
	bool large, writable, is_private;
	enum seam_end end_of_exit;
	struct guest_result result;
	unsigned int nr_exits;
	struct guest_exit exit;
	/* What is handled while the guest's registers are in the CPU; the last such stop. */
	bool tries, quick;
	struct guest_exit tried;
	unsigned int nr_quick;
	enum guest_quick what;
};

extern struct scripted_model model;
extern struct vcpu *v;
extern struct site site;
extern struct window *window;

int td_setup(void **state);
int td_teardown(void **state);

struct window_lp *lp(void);
/* Into the TD; what the CPU does there; and back to the host, or into the TD again. */
void enter(void);
void guest_stops(uint64_t code, uint64_t info1, uint64_t info2);
struct site *leave(void);
void go_on(void);
/* The guest's stop, and where the world switch goes on then. */
void stops_at(const char *where);

/* A table in the window; where four levels of them lead, and where a guest's do. */
uint64_t *table_at(uint64_t pa);
uint64_t walk(uint64_t root, uint64_t va);
uint64_t nested(uint64_t gpa);

/* Why a call did not return; 0 if it did. */
#define JUMPS(call) ({						\
	volatile enum fake_jump how_ = setjmp(fake.jump);	\
								\
	if (!how_)						\
		call;						\
	how_;							\
})

#define td_test(f)	cmocka_unit_test_setup_teardown(f, td_setup, td_teardown)

#endif
