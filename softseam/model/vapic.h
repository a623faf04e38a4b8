/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a TD's local APIC that the CPU virtualises: priorities, interrupt
 * delivery and EOI, and posted interrupts.  All else of it is the host's.
 */
#ifndef SOFTSEAM_VAPIC_H
#define SOFTSEAM_VAPIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VAPIC_VECTORS	256
#define VAPIC_WORDS	(VAPIC_VECTORS / 32)

struct vapic {
	/* Requested, in service, level triggered. */
	uint32_t irr[VAPIC_WORDS], isr[VAPIC_WORDS], tmr[VAPIC_WORDS];
	uint8_t tpr;
};

/* The posted-interrupt descriptor, in the host's memory. */
struct posted {
	_Atomic uint32_t requests[VAPIC_WORDS];
	/* Bit 0: outstanding notification. */
	_Atomic uint32_t control;
	uint32_t reserved[7];
};

#define POSTED_OUTSTANDING	1U

_Static_assert(sizeof(struct posted) == 64, "posted-interrupt descriptor");

void vapic_request(struct vapic *apic, uint8_t vector);
/* Move what the host posted to IRR. */
void vapic_take_posted(struct vapic *apic, struct posted *posted);
/* PPR */
uint8_t vapic_priority(const struct vapic *apic);
/*
 * The interrupt to deliver next; -1 if none is above the current priority.
 * IF and the like are the caller's.
 */
int vapic_deliverable(const struct vapic *apic);
/* IRR -> ISR */
void vapic_deliver(struct vapic *apic, uint8_t vector);
/* Delivery did not happen after all: ISR -> IRR. */
void vapic_undeliver(struct vapic *apic, uint8_t vector);
void vapic_eoi(struct vapic *apic);

#endif
