// SPDX-License-Identifier: GPL-2.0-only
#include "vapic.h"

#define PRIORITY_CLASS	0xF0

static int highest(const uint32_t bits[VAPIC_WORDS])
{
	for (int word = VAPIC_WORDS - 1; word >= 0; word--) {
		if (bits[word])
			return word * 32 + 31 - __builtin_clz(bits[word]);
	}
	return -1;
}

static void set(uint32_t bits[VAPIC_WORDS], uint8_t vector)
{
	bits[vector / 32] |= 1U << vector % 32;
}

static void clear(uint32_t bits[VAPIC_WORDS], uint8_t vector)
{
	bits[vector / 32] &= ~(1U << vector % 32);
}

void vapic_request(struct vapic *apic, uint8_t vector)
{
	set(apic->irr, vector);
}

/* The host sets a request first and the notification then. */
void vapic_take_posted(struct vapic *apic, struct posted *posted)
{
	if (!(atomic_load(&posted->control) & POSTED_OUTSTANDING))
		return;
	atomic_fetch_and(&posted->control, ~POSTED_OUTSTANDING);
	for (unsigned int i = 0; i < VAPIC_WORDS; i++)
		apic->irr[i] |= atomic_exchange(&posted->requests[i], 0);
}

uint8_t vapic_priority(const struct vapic *apic)
{
	int in_service = highest(apic->isr);

	if (in_service >= 0 && (in_service & PRIORITY_CLASS) > (apic->tpr & PRIORITY_CLASS))
		return (uint8_t)(in_service & PRIORITY_CLASS);
	return apic->tpr;
}

int vapic_deliverable(const struct vapic *apic)
{
	int vector = highest(apic->irr);

	if (vector >= 0 &&
	    (vector & PRIORITY_CLASS) > (vapic_priority(apic) & PRIORITY_CLASS))
		return vector;
	return -1;
}

void vapic_deliver(struct vapic *apic, uint8_t vector)
{
	clear(apic->irr, vector);
	set(apic->isr, vector);
}

void vapic_undeliver(struct vapic *apic, uint8_t vector)
{
	clear(apic->isr, vector);
	set(apic->irr, vector);
}

void vapic_eoi(struct vapic *apic)
{
	int vector = highest(apic->isr);

	if (vector >= 0)
		clear(apic->isr, (uint8_t)vector);
}
