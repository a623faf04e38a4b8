/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The locks of the TDX module: shared or exclusive, tried and never waited
 * for.  All zero is unlocked.
 *
 * Taking a lock is an acquire and giving it back a release, so what an
 * exclusive holder wrote is seen by whoever takes the lock next.
 */
#ifndef SOFTSEAM_LOCK_H
#define SOFTSEAM_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct trylock {
	/* Number of sharers, or LOCK_EXCLUSIVE. */
	_Atomic uint16_t holders;
};

#define LOCK_HELD_EXCLUSIVE	UINT16_MAX

enum lock_mode {
	LOCK_SHARED,
	LOCK_EXCLUSIVE,
};

static inline bool lock_try_shared(struct trylock *lock)
{
	uint16_t n = atomic_load_explicit(&lock->holders, memory_order_relaxed);

	do {
		if (n >= LOCK_HELD_EXCLUSIVE - 1)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&lock->holders, &n,
							(uint16_t)(n + 1),
							memory_order_acquire,
							memory_order_relaxed));
	return true;
}

static inline bool lock_try_exclusive(struct trylock *lock)
{
	uint16_t n = 0;

	return atomic_compare_exchange_strong_explicit(&lock->holders, &n,
						       LOCK_HELD_EXCLUSIVE,
						       memory_order_acquire,
						       memory_order_relaxed);
}

static inline bool lock_try(struct trylock *lock, enum lock_mode mode)
{
	return mode == LOCK_SHARED ? lock_try_shared(lock) : lock_try_exclusive(lock);
}

static inline void lock_release(struct trylock *lock, enum lock_mode mode)
{
	if (mode == LOCK_SHARED)
		atomic_fetch_sub_explicit(&lock->holders, 1, memory_order_release);
	else
		atomic_store_explicit(&lock->holders, 0, memory_order_release);
}

#endif
