/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a relay answers. Laws: nothing but 2xx at the end of data is ever an
 * acceptance; the reply that is kept is one clean line; bytes from the wire,
 * however they are cut into reads, count the same replies.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "deliver.h"
#include "fuzz.h"
#include "text.h"

#include "../../src/deliver/deliver_int.h"

static void
check_verdict(enum deliver_stage stage, int code, const char *text)
{
	enum deliver_result r = deliver_classify(stage, code, text);

	assert(deliver_result_name(r) != NULL);
	assert((r == DELIVER_ACCEPTED) ==
	    (stage == DELIVER_AT_DATA && code >= 200 && code <= 299));
	if (code >= 400 && code <= 499)
		assert(r == DELIVER_DEFERRED || r == DELIVER_RELAY);
	if (r == DELIVER_REJECTED)
		assert(code >= 500 && code <= 599);
	if (code == 421)
		assert(r == DELIVER_RELAY);
}

static void
check_report(int code, const char *text)
{
	struct deliver_report report;
	const char *s = report.reply;

	deliver_report_set(&report, DELIVER_REJECTED, code, text);
	assert(strlen(s) < sizeof(report.reply));
	assert(text_is_utf8(s, strlen(s)));
	assert(strpbrk(s, "\r\n\t\x1b\x7f") == NULL);
	assert(report.code == code && report.result == DELIVER_REJECTED);
}

static void
read_wire(struct deliver_wire *w, const uint8_t *data, size_t len,
    size_t at_once)
{
	g_autofree char *copy = g_malloc(len + 1);

	memcpy(copy, data, len);
	deliver_wire_init(w);
	w->asked = 3;
	for (size_t i = 0; i < len; i += at_once)
		deliver_wire_received(w, copy + i, MIN(at_once, len - i));
	copy[len] = '\0';
}

static void
check_wire(const uint8_t *data, size_t len)
{
	struct deliver_wire whole, bytes;

	read_wire(&whole, data, len, len > 0 ? len : 1);
	read_wire(&bytes, data, len, 1);
	assert(whole.answered == bytes.answered);
	assert(whole.code == bytes.code && whole.broken == bytes.broken);
	assert(strcmp(whole.last->str, bytes.last->str) == 0);
	assert(whole.code >= 0 && whole.code <= 999);
	assert(whole.broken || whole.answered <= whole.asked);
	deliver_wire_clear(&whole);
	deliver_wire_clear(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = g_strndup((const char *)data, len);
	int code = (int)g_ascii_strtoll(text, NULL, 10);
	const char *rest = text + MIN(strlen(text), 4);

	for (int stage = DELIVER_AT_CONNECT; stage <= DELIVER_AT_DATA; stage++) {
		check_verdict((enum deliver_stage)stage, code, rest);
		check_verdict((enum deliver_stage)stage, code, NULL);
	}
	check_report(code, text);
	if (len > 0)
		check_wire(data, len);
	return 0;
}
