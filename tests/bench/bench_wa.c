/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many webhooks one core checks, parses and frees in a second of its own
 * time, and how many it only checks: bench_wa FILE... prints a line per file.
 */
#include <glib.h>
#include <stdio.h>
#include <sys/resource.h>

#include "err.h"
#include "io.h"
#include "wa.h"

#define RUN_MS 1000

typedef bool (*step_fn)(const void *body, size_t len);

static const struct wa_limits limits = WA_LIMITS_DEFAULT;

static bool
check(const void *body, size_t len)
{
	return wa_json_check(body, len, &limits, NULL);
}

static bool
check_and_parse(const void *body, size_t len)
{
	GPtrArray *items = NULL;

	if (!check(body, len) || !wa_parse(body, len, &limits, &items, NULL))
		return false;
	g_ptr_array_unref(items);
	return true;
}

/* Not the wall clock: what else runs on the machine does not count. */
static int64_t
cpu_ms(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
	    (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000;
}

static double
per_second(step_fn step, const void *body, size_t len)
{
	int64_t start = cpu_ms(), ms;
	int64_t n = 0;

	do {
		for (int i = 0; i < 500; i++)
			step(body, len);
		n += 500;
		ms = cpu_ms() - start;
	} while (ms < RUN_MS);
	return (double)n * 1000 / (double)ms;
}

static bool
measure(const char *file)
{
	g_autoptr(GBytes) bytes = NULL;
	struct err err = ERR_INIT;
	const void *body;
	double checks;
	gsize len;

	if (!io_file_load(file, limits.max_bytes, &bytes, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	body = g_bytes_get_data(bytes, &len);
	checks = per_second(check, body, len);
	printf("%s bytes=%zu parsed_per_s=%.0f checked_per_s=%.0f "
	    "check_mb_per_s=%.0f\n", file, len,
	    per_second(check_and_parse, body, len), checks,
	    checks * (double)len / 1e6);
	return true;
}

int
main(int argc, char **argv)
{
	bool ok = argc > 1;

	for (int i = 1; i < argc; i++)
		ok = measure(argv[i]) && ok;
	return ok ? 0 : 1;
}
