// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT of the kernel (arch/x86/virt/vmx/tdx/pamt.c) against the locks of
 * the TDX module, for Spin.
 *
 * Each of THREADS threads takes and returns a page, ROUNDS times, each time in
 * any of REGIONS regions and with a pair whose two pages lie in any of them.  What
 * is one step here is one atomic operation there.  RDMD adds a machine check
 * handler that makes the module busy at any time, and REFUSE a module that keeps
 * one pair.
 *
 * Checked: whoever counts itself in finds the pair, and no transition; the module
 * never has to refuse a transition; under the exclusive side of the lock, nothing
 * but RDMD makes it busy; no state is busy without the lock; in the end, all pairs
 * are back; no deadlock, no livelock.
 *
 * BREAK_* leave something out, and must be found.
 */
#ifndef THREADS
#define THREADS		3
#endif
#ifndef REGIONS
#define REGIONS		2
#endif
#ifndef ROUNDS
#define ROUNDS		1
#endif
#ifndef TRIES
#define TRIES		2
#endif

#define ABSENT		0
#define BUSY		(-1)
#define STUCK		(-2)

#define OK		0
#define EBUSY		1
#define EAGAIN		2

/* The kernel: a state per region, and the transition lock */
short state[REGIONS];
byte readers;
bool writer;

/* The module: per region its lock, whether it has a pair, pages in use */
bool exclusive[REGIONS];
byte shared[REGIONS];
bool pair[REGIONS];
byte used[REGIONS];

byte done;
bool refused;

inline lock(excl)
{
	if
	:: excl  -> atomic { !writer && readers == 0; writer = true }
#ifdef BREAK_LOCK
	:: !excl -> readers++
#else
	:: !excl -> atomic { !writer; readers++ }
#endif
	fi
}

inline unlock(excl)
{
	if
	:: excl  -> writer = false
	:: !excl -> readers--
	fi
}

/* The module's try-locks: @ok tells whether it was free. */
inline try_exclusive(r, ok)
{
	atomic {
		ok = !exclusive[r] && shared[r] == 0;
		if
		:: ok -> exclusive[r] = true
		:: else
		fi
	}
}

inline try_shared(r, ok)
{
	atomic {
		ok = !exclusive[r];
		if
		:: ok -> shared[r]++
		:: else
		fi
	}
}

/* TDH.PHYMEM.PAMT.ADD for @r, with pages of a pair in @p and @q */
inline add(r, p, q, ok)
{
	try_exclusive(r, ok);
	if
	:: ok ->
		if
		:: p != r -> try_shared(p, ok)
		:: else
		fi;
		if
		:: ok && q != r ->
			try_shared(q, ok);
			if
			:: !ok && p != r -> shared[p]--
			:: else
			fi
		:: else
		fi;
		if
		:: ok ->
			assert(!pair[r]);
			pair[r] = true;
			if
			:: p != r -> shared[p]--
			:: else
			fi;
			if
			:: q != r -> shared[q]--
			:: else
			fi
		:: else
		fi;
		exclusive[r] = false
	:: else
	fi
}

/* TDH.PHYMEM.PAMT.REMOVE; @keep: the module refuses. */
inline remove(r, ok, keep)
{
	keep = false;
	try_exclusive(r, ok);
	if
	:: ok ->
		assert(pair[r]);
		assert(used[r] == 0);
		if
		:: pair[r] = false
#ifdef REFUSE
		:: atomic { !refused -> refused = true; keep = true }
#endif
		fi;
		exclusive[r] = false
	:: else
	fi
}

/* Any other SEAMCALL for a page that is counted.  It must not be busy. */
inline use(r)
{
	try_shared(r, ok);
	assert(ok);
	assert(pair[r]);
	used[r]++;
	shared[r]--
}

inline stop_using(r)
{
	try_shared(r, ok);
	assert(ok);
	used[r]--;
	shared[r]--
}

inline busy_again(excl, tries)
{
	tries++;
#ifndef RDMD
	assert(!excl)
#endif
}

/* pamt_try_add() */
inline try_add(r, p, q, excl, ret)
{
	lock(excl);
	ret = EAGAIN;
	atomic {
		if
		:: state[r] == ABSENT -> state[r] = BUSY; ret = OK
		:: else
		fi
	};
	if
	:: ret == OK ->
#ifdef BREAK_ORDER
		state[r] = 1;
#endif
		tries = 0;
		ok = false;
		do
		:: !ok && tries < TRIES ->
			add(r, p, q, ok);
			if
			:: !ok -> busy_again(excl, tries)
			:: else
			fi
		:: else -> break
		od;
		assert(state[r] == BUSY);
		if
		:: ok -> state[r] = 1
		:: else -> state[r] = ABSENT; ret = EBUSY
		fi
	:: else
	fi;
	unlock(excl)
}

/* pamt_try_remove() */
inline try_remove(r, excl, ret)
{
	lock(excl);
	ret = EAGAIN;
	atomic {
		if
		:: state[r] == 1 -> state[r] = BUSY; ret = OK
		:: else
		fi
	};
	if
	:: ret == OK ->
		tries = 0;
		ok = false;
		do
		:: !ok && tries < TRIES ->
			remove(r, ok, keep);
			if
			:: !ok -> busy_again(excl, tries)
			:: else
			fi
		:: else -> break
		od;
		assert(state[r] == BUSY);
		if
		:: ok && !keep -> state[r] = ABSENT
		:: ok && keep -> state[r] = STUCK
		:: !ok && excl -> state[r] = STUCK
		:: else -> state[r] = 1; ret = EBUSY
		fi
	:: else
	fi;
	unlock(excl)
}

/* pamt_get_4k() */
inline get(r, p, q, ret)
{
	excl = false;
	do
	:: /* pamt_get_present() */
#ifdef BREAK_WAIT
		true;
#else
		state[r] != BUSY;
#endif
		atomic {
			if
#ifdef BREAK_WAIT
			:: state[r] == BUSY -> ret = OK
#endif
			:: state[r] >= 1 -> state[r]++; ret = OK
			:: state[r] == STUCK -> state[r] = 1; ret = OK
			:: state[r] == ABSENT -> ret = EBUSY
			:: else -> ret = EAGAIN
			fi
		};
		if
		:: ret == OK -> break
		:: ret == EBUSY ->
			try_add(r, p, q, excl, ret);
			if
			:: ret == OK -> break
			:: ret == EBUSY && excl -> break
			:: ret == EBUSY && !excl -> excl = true
			:: else
			fi
		:: else
		fi
	od
}

/* pamt_put_4k() */
inline put(r)
{
	excl = false;
	do
	::
		atomic {
			if
			:: state[r] >= 2 -> state[r]--; break
			:: else -> assert(state[r] == 1)
			fi
		};
		try_remove(r, excl, ret);
		if
		:: ret == OK -> break
		:: ret == EBUSY -> assert(!excl); excl = true
		:: else
		fi
	od
}

proctype thread()
{
	byte r, p, q, tries, ret, round;
	bool ok, excl, keep;

	do
	:: round < ROUNDS ->
		select(r : 0 .. REGIONS - 1);
		select(p : 0 .. REGIONS - 1);
		select(q : 0 .. REGIONS - 1);
		get(r, p, q, ret);
		if
		:: ret == OK ->
			use(r);
#ifdef BREAK_PUT
			put(r);
			stop_using(r)
#else
			stop_using(r);
			put(r)
#endif
		:: else
#ifndef RDMD
			-> assert(false)
#endif
		fi;
		round++
	:: else -> break
	od;
	atomic { done++ }
}

/* TDH.PHYMEM.PAGE.RDMD of a page anywhere */
#ifdef RDMD
proctype machine_check()
{
	byte r;
	bool ok;

	select(r : 0 .. REGIONS - 1);
	try_shared(r, ok);
	if
	:: ok -> shared[r]--
	:: else
	fi
}
#endif

init {
	byte i, stuck;

	atomic {
		for (i : 1 .. THREADS) {
			run thread()
		}
#ifdef RDMD
		run machine_check()
#endif
	};

	done == THREADS;
	assert(readers == 0 && !writer);
	for (i : 0 .. REGIONS - 1) {
		assert(used[i] == 0);
		assert(state[i] == ABSENT || state[i] == STUCK);
		assert(pair[i] == (state[i] == STUCK));
		if
		:: state[i] == STUCK -> stuck++
		:: else
		fi
	}
#if !defined(REFUSE) && !defined(RDMD)
	assert(stuck == 0)
#endif
}
