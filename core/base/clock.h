/*
 * Time: wall clock in microseconds since 1970 UTC, monotonic clock, sleeping, and texts for them.
 */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include "core/base/arena.h"

int64_t clock_wall_us(void);
int64_t clock_monotonic_us(void);
/* Sleeps, or returns early when a signal arrives. */
void clock_sleep_ms(int64_t ms);
/* "2026-11-20T20:43:00.123456Z", in the arena. */
char *clock_iso(struct arena *a, int64_t wall_us);
/* Such a text, with or without fractions; false: it is none. */
bool clock_parse_iso(struct str s, int64_t *out_wall_us) MUST_CHECK;
/* "0.4 ms", "340 ms", "1.2 s", "2 min 03 s", "1 h 05 min": for people. */
char *clock_duration_text(struct arena *a, int64_t duration_us);
/* "400ms", "2s", "10m" or "10min", "24h", "7d" → milliseconds; "0" needs no unit. */
bool clock_parse_duration(struct str s, int64_t *out_ms) MUST_CHECK;

#endif
