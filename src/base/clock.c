/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock, and its two spellings. The calendar is computed here, so that
 * no time zone file or locale can change a mail's bytes.
 */
#include "clock.h"

#include <stdio.h>
#include <time.h>

struct civil {
	int64_t year;
	int month, day, weekday;	/* month and day from 1, Sunday is 0 */
	int hour, minute, second, millis;
};

static int64_t
read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 to a Gregorian date, in eras of 400 years. */
static void
date_of(int64_t days, struct civil *c)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
	c->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

static struct civil
civil_of(int64_t ms)
{
	int64_t days = ms / 86400000;
	int64_t rest = ms % 86400000;
	struct civil c;

	if (rest < 0) {
		rest += 86400000;
		days--;
	}
	date_of(days, &c);
	c.hour = (int)(rest / 3600000);
	c.minute = (int)(rest / 60000 % 60);
	c.second = (int)(rest / 1000 % 60);
	c.millis = (int)(rest % 1000);
	return c;
}

const char *
clock_rfc5322(int64_t ms, char out[CLOCK_RFC5322_SIZE])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct civil c = civil_of(ms);

	snprintf(out, CLOCK_RFC5322_SIZE,
	    "%s, %02d %s %04lld %02d:%02d:%02d +0000", days[c.weekday], c.day,
	    months[c.month - 1], (long long)c.year, c.hour, c.minute,
	    c.second);
	return out;
}

const char *
clock_iso(int64_t ms, int millis, char out[CLOCK_ISO_SIZE])
{
	struct civil c = civil_of(ms);
	int n;

	n = snprintf(out, CLOCK_ISO_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d",
	    (long long)c.year, c.month, c.day, c.hour, c.minute, c.second);
	if (n > 0 && n < CLOCK_ISO_SIZE) {
		if (millis)
			snprintf(out + n, (size_t)(CLOCK_ISO_SIZE - n),
			    ".%03dZ", c.millis);
		else
			snprintf(out + n, (size_t)(CLOCK_ISO_SIZE - n), "Z");
	}
	return out;
}
