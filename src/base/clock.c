/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock, and its spellings. The calendar of UTC is computed here, so that
 * no time zone file or locale can change it. Only what is shown as local time
 * depends on the system's tzdata; zones are read once and kept until the end.
 */
#include "clock.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int64_t
clock_far_ms(int64_t now_ms, int64_t most_ms)
{
	return most_ms >= INT64_MAX - CLOCK_SLACK_MS - MAX(now_ms, 0) ?
	    INT64_MAX : now_ms + most_ms + CLOCK_SLACK_MS;
}

bool
clock_is_far(int64_t at_ms, int64_t now_ms, int64_t most_ms)
{
	return at_ms != INT64_MAX && at_ms > clock_far_ms(now_ms, most_ms);
}

bool
clock_may_be_back(int64_t last_ms, int64_t now_ms)
{
	return last_ms == 0 || now_ms < last_ms - CLOCK_SLACK_MS;
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

/* ---- spelling: by hand, as printf took longer than all else of a field ---- */

static char *
put(char *out, int value, int digits)
{
	for (int i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + digits;
}

/* With a NUL after it. */
static char *
put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return out + len;
}

static char *
put_year(char *out, int64_t year)
{
	if (year >= 0 && year <= 9999)
		return put(out, (int)year, 4);
	return out + snprintf(out, CLOCK_ISO_SIZE, "%04lld", (long long)year);
}

static char *
put_time(char *out, const struct civil *c)
{
	out = put(out, c->hour, 2);
	*out++ = ':';
	out = put(out, c->minute, 2);
	*out++ = ':';
	return put(out, c->second, 2);
}

const char *
clock_rfc5322(int64_t ms, char out[CLOCK_RFC5322_SIZE])
{
	static const char days[][6] = { "Sun, ", "Mon, ", "Tue, ", "Wed, ",
		"Thu, ", "Fri, ", "Sat, " };
	static const char months[][6] = { " Jan ", " Feb ", " Mar ", " Apr ",
		" May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ",
		" Nov ", " Dec " };
	struct civil c = civil_of(ms);
	char *p = out;

	p = put(put_text(p, days[c.weekday]), c.day, 2);
	p = put_year(put_text(p, months[c.month - 1]), c.year);
	*p++ = ' ';
	put_text(put_time(p, &c), " +0000");
	return out;
}

const char *
clock_iso(int64_t ms, int millis, char out[CLOCK_ISO_SIZE])
{
	struct civil c = civil_of(ms);
	char *p = put_year(out, c.year);

	*p++ = '-';
	p = put(p, c.month, 2);
	*p++ = '-';
	p = put(p, c.day, 2);
	*p++ = 'T';
	p = put_time(p, &c);
	if (millis) {
		*p++ = '.';
		p = put(p, c.millis, 3);
	}
	put_text(p, "Z");
	return out;
}

/* ---- local time ------------------------------------------------------------ */

struct clock_zone {
	struct clock_zone *next;
	char *name;
	GTimeZone *zone;
};

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static struct clock_zone *zones;

/* GLib takes a path as a name too, and an offset: neither is meant. */
static bool
is_zone_name(const char *name)
{
	if (name == NULL || !g_ascii_isalpha(name[0]) ||
	    strstr(name, "..") != NULL)
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/")] == '\0';
}

static struct clock_zone *
add_zone(const char *name)
{
	GTimeZone *zone = is_zone_name(name)
	    ? g_time_zone_new_identifier(name) : NULL;
	struct clock_zone *z;

	if (zone == NULL)
		return NULL;
	z = g_new0(struct clock_zone, 1);
	z->name = g_strdup(name);
	z->zone = zone;
	z->next = zones;
	zones = z;
	return z;
}

const struct clock_zone *
clock_zone_get(const char *name)
{
	struct clock_zone *z;

	pthread_mutex_lock(&zones_lock);
	for (z = zones; z != NULL && g_strcmp0(z->name, name) != 0;)
		z = z->next;
	if (z == NULL)
		z = add_zone(name);
	pthread_mutex_unlock(&zones_lock);
	return z;
}

const char *
clock_zone_name(const struct clock_zone *zone)
{
	return zone->name;
}

static int
offset_of(const struct clock_zone *zone, int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	int interval = g_time_zone_find_interval(zone->zone,
	    G_TIME_TYPE_UNIVERSAL, seconds);

	return interval < 0 ? 0 :
	    g_time_zone_get_offset(zone->zone, interval);
}

const char *
clock_local(const struct clock_zone *zone, int64_t ms,
    char out[CLOCK_LOCAL_SIZE])
{
	int offset = offset_of(zone, ms);
	int minutes = abs(offset) / 60;
	struct civil c = civil_of(ms + (int64_t)offset * 1000);
	int n;

	n = snprintf(out, CLOCK_LOCAL_SIZE,
	    "%04lld-%02d-%02d %02d:%02d:%02d %c%02d", (long long)c.year,
	    c.month, c.day, c.hour, c.minute, c.second,
	    offset < 0 ? '-' : '+', minutes / 60);
	if (n > 0 && n < CLOCK_LOCAL_SIZE && minutes % 60 != 0)
		snprintf(out + n, (size_t)(CLOCK_LOCAL_SIZE - n), ":%02d",
		    minutes % 60);
	return out;
}

void
clock_civil(const struct clock_zone *zone, int64_t ms,
    struct clock_civil *out)
{
	int offset = zone != NULL ? offset_of(zone, ms) : 0;
	struct civil c = civil_of(ms + (int64_t)offset * 1000);

	out->year = (int)c.year;
	out->month = c.month;
	out->day = c.day;
	out->weekday = (c.weekday + 6) % 7;
	out->minute = c.hour * 60 + c.minute;
}

/* ---- reading --------------------------------------------------------------- */

/* The inverse of date_of(), by the same eras. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
	    day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Whether text has the shape: a 0 stands for a digit, the rest for itself. */
static bool
has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++) {
		if (*shape == '0' ? !g_ascii_isdigit(*text) : *text != *shape)
			return false;
	}
	return *text == '\0';
}

/* Two digits at text; -1 when they are more than max. */
static int
two_digits(const char *text, int max)
{
	int value = (text[0] - '0') * 10 + text[1] - '0';

	return value <= max ? value : -1;
}

int64_t
clock_parse(const char *text)
{
	bool has_time = has_shape(text, "0000-00-00T00:00:00Z");
	int hour = 0, minute = 0, second = 0;
	struct civil back;
	int64_t days;

	if (!has_time && !has_shape(text, "0000-00-00"))
		return -1;
	days = days_of(two_digits(text, 99) * 100 + two_digits(text + 2, 99),
	    two_digits(text + 5, 99), two_digits(text + 8, 99));
	date_of(days, &back);
	/* The 31st of April comes back as the 1st of May. */
	if (back.month != two_digits(text + 5, 12) ||
	    back.day != two_digits(text + 8, 31))
		return -1;
	if (has_time) {
		hour = two_digits(text + 11, 23);
		minute = two_digits(text + 14, 59);
		second = two_digits(text + 17, 59);
	}
	if (days < 0 || hour < 0 || minute < 0 || second < 0)
		return -1;
	return days * 86400000 + hour * 3600000 + minute * 60000 +
	    second * 1000;
}
