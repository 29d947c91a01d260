/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's clock: the TSC on x86-64 and in User-Mode Linux on it, where
 * get_cycles() is 0; nanoseconds elsewhere.
 */
#ifndef _GOSPAN_BENCH_TICKS_H
#define _GOSPAN_BENCH_TICKS_H

#include <linux/ktime.h>
#include <linux/types.h>

#ifdef __x86_64__

/* The fences keep what is timed on its side of the reading. */
static __always_inline u64 gospan_bench_ticks(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc; lfence" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

#else

static __always_inline u64 gospan_bench_ticks(void)
{
	return ktime_get_ns();
}

#endif

#if defined(__x86_64__) && defined(CONFIG_UML)

/* Ticks in a millisecond; 0: not known. */
static inline u32 gospan_bench_tick_khz(void)
{
	return 0;
}

#elif defined(__x86_64__)

#include <asm/tsc.h>

static inline u32 gospan_bench_tick_khz(void)
{
	return tsc_khz;
}

#else

static inline u32 gospan_bench_tick_khz(void)
{
	return NSEC_PER_MSEC;
}

#endif

#endif /* _GOSPAN_BENCH_TICKS_H */
