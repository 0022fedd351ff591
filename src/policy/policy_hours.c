/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours of a week, as clocks on the wall show them. A span that passes
 * midnight belongs to the day on which it starts. A holiday is a date of the
 * wall, from midnight to midnight.
 */
#include "policy_int.h"

#include <string.h>

#include "clock.h"

#define DAY_MIN 1440
#define DAYS_ALL 0x7fU

/* 2000 had a 29th of February. */
bool
policy_is_holiday(const char *day)
{
	g_autofree char *full = strlen(day) == strlen("12-25") ?
	    g_strconcat("2000-", day, NULL) : g_strdup(day);

	return strlen(full) == strlen("2026-12-25") && clock_parse(full) >= 0;
}

static bool
is_span(const struct policy_span *s)
{
	return s->days != 0 && (s->days & ~DAYS_ALL) == 0 &&
	    s->from_min >= 0 && s->from_min < DAY_MIN &&
	    s->until_min >= 0 && s->until_min <= DAY_MIN;
}

bool
policy_hours_check(struct policy_issues *to, const struct policy_window *w)
{
	unsigned before = to->errors;

	if (w->n_spans == 0)
		policy_error(to, w->where, "window %s has no hours; say "
		    "\"hours mon-fri 08:00-18:00;\"", w->name);
	for (size_t i = 0; i < w->n_spans; i++)
		if (!is_span(&w->spans[i]))
			policy_error(to, w->where, "window %s has hours that "
			    "are not of a day; say \"hours mon-fri "
			    "08:00-18:00;\"", w->name);
	if (w->zone != NULL && clock_zone_get(w->zone) == NULL)
		policy_error(to, w->where, "window %s: there is no time zone "
		    "%s; say a name like Europe/London", w->name, w->zone);
	for (guint i = 0; i < w->holidays->len; i++) {
		const char *day = g_ptr_array_index(w->holidays, i);

		if (!policy_is_holiday(day))
			policy_error(to, w->where, "window %s: %s is no date; "
			    "say 2026-12-25, or 12-25 for each year", w->name,
			    day);
	}
	return to->errors == before;
}

static bool
is_holiday(const struct policy_window *w, const struct clock_civil *c)
{
	int year, month, day;
	bool is_each_year;

	for (guint i = 0; i < w->holidays->len; i++) {
		const char *s = g_ptr_array_index(w->holidays, i);

		is_each_year = strlen(s) == strlen("12-25");
		year = is_each_year ? c->year : (int)g_ascii_strtoll(s, NULL,
		    10);
		s += is_each_year ? 0 : strlen("2026-");
		month = (int)g_ascii_strtoll(s, NULL, 10);
		day = (int)g_ascii_strtoll(s + strlen("12-"), NULL, 10);
		if (year == c->year && month == c->month && day == c->day)
			return true;
	}
	return false;
}

static bool
has_minute(const struct policy_span *s, const struct clock_civil *c)
{
	bool is_today = (s->days >> c->weekday & 1) != 0;
	bool is_eve = (s->days >> (c->weekday + 6) % 7 & 1) != 0;

	if (s->until_min > s->from_min)
		return is_today && c->minute >= s->from_min &&
		    c->minute < s->until_min;
	return (is_today && c->minute >= s->from_min) ||
	    (is_eve && c->minute < s->until_min);
}

bool
policy_hours_have(const struct policy_hours *h,
    const struct clock_zone *desk, int64_t ms)
{
	const struct policy_window *w = h->source;
	struct clock_civil c;

	clock_civil(h->zone != NULL ? h->zone : desk, ms, &c);
	if (is_holiday(w, &c))
		return false;
	for (size_t i = 0; i < w->n_spans; i++)
		if (has_minute(&w->spans[i], &c))
			return true;
	return false;
}
