/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rendering. An input that wa_parse() accepts is rendered as its items; any
 * other is cut at NULs into strings that are put wherever an item has one.
 * Its files are held, late, missing or quarantined; a second style cuts what
 * has more than one attachment and has a verdict of rules, made of its own
 * strings; a third mail excludes it, and an alert tells of it.
 * Laws: whatever they hold, each mail is 7 bit with CRLF, has the fields of
 * every mail and no others, its boundaries only where they belong, and the
 * same bytes when it is rendered again; the report embeds it unchanged.
 */
#include <assert.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "hash.h"
#include "item.h"
#include "render.h"
#include "wa.h"

static struct render *
renderer(void)
{
	static struct render *r;
	const char *src = getenv("SRCDIR");

	if (r == NULL) {
		g_autofree char *dir = g_build_filename(src != NULL ? src : ".",
		    "templates", NULL);
		struct render_conf conf = { .tenant = "t",
			.domain = "d.example", .address_domain = "a.example",
			.templates = dir, .attach_event = true };

		if (!render_new(&conf, &r, NULL))
			abort();
	}
	return r;
}

/* --- strings to an item --- */

struct input {
	const char *at, *end;
};

/* The next string, NULL when it is empty. */
static char *
next(struct input *in)
{
	size_t len = strnlen(in->at, (size_t)(in->end - in->at));
	char *s = len > 0 ? g_strndup(in->at, len) : NULL;

	in->at += MIN(len + 1, (size_t)(in->end - in->at));
	return s;
}

static void
fill_party(struct item_party *p, struct input *in)
{
	p->number = next(in);
	p->user_id = next(in);
	p->parent_user_id = next(in);
	p->username = next(in);
	p->name = next(in);
}

static void
fill_send(struct item *it, struct input *in)
{
	struct item_send *send;
	char *key = next(in);

	if (key == NULL)
		return;
	send = item_send_get(it);
	send->key = key;
	send->outcome = next(in);
	send->application = next(in);
	send->employee = next(in);
	send->status = next(in);
	send->reason = next(in);
	send->text_before = next(in);
	item_review_add(it, "released", send->reason);
}

static void
fill_rest(struct item *it, struct input *in)
{
	struct item_media *m = item_media_add(it);
	struct item_problem *p = item_problem_add(it);
	g_autofree char *name = next(in);
	g_autofree char *value = next(in);

	item_fact_add(it, name != NULL ? name : "", value);
	m->filename = next(in);
	m->mime_type = next(in);
	m->sha256 = next(in);
	m->id = next(in);
	p->code = next(in);
	p->title = next(in);
	p->message = next(in);
}

static struct item *
item_of(const uint8_t *data, size_t len)
{
	struct input in = { (const char *)data, (const char *)data + len };
	unsigned kind = len > 0 ? data[0] : 0;
	struct item *it = item_new(kind % ITEM_KINDS, kind % ITEM_TYPES);

	it->direction = kind & 1 ? ITEM_SENT : ITEM_RECEIVED;
	it->author = kind % ITEM_AUTHORS;
	it->at_ms = kind & 2 ? 1770127509000 : 0;
	it->key = g_strdup("key");
	it->id = next(&in);
	it->text = next(&in);
	fill_party(&it->counterpart, &in);
	fill_party(&it->business, &in);
	it->group_id = next(&in);
	it->target = next(&in);
	it->note = next(&in);
	it->raw = next(&in);
	it->network = next(&in);
	it->account = next(&in);
	it->type_name = next(&in);
	it->context = g_new0(struct item_context, 1);
	it->context->id = next(&in);
	it->context->from = next(&in);
	fill_rest(it, &in);
	fill_send(it, &in);
	return it;
}

/* --- laws --- */

static size_t
occurrences(const char *hay, const char *needle)
{
	size_t n = 0;

	while ((hay = strstr(hay, needle)) != NULL) {
		n++;
		hay += strlen(needle);
	}
	return n;
}

static void
check_bytes(const char *mail, bool seven_bit)
{
	for (const char *p = mail; *p != '\0'; p++) {
		if (*p == '\n')
			assert(p > mail && p[-1] == '\r');
		else if (*p == '\r')
			assert(p[1] == '\n');
		else if (seven_bit)
			assert(*p == '\t' || (*p >= ' ' && *p <= '~'));
	}
}

static void
check_fields(const char *mail)
{
	static const char *const known[] = { "Date:", "From:", "To:", "Cc:",
		"Subject:", "Message-ID:", "In-Reply-To:", "References:",
		"Conversation-ID:", "Thread-Topic:", "Thread-Index:",
		"Contribution-ID:", "Message-Direction:", "Message-Context:",
		"Auto-Submitted:", "List-Id:", "X-ChatJournal-",
		"MIME-Version:", "Content-Type:",
		"Content-Transfer-Encoding:" /* of an alert */ };
	const char *stop = strstr(mail, "\r\n\r\n");

	assert(stop != NULL && g_str_has_prefix(mail, "Date: "));
	for (const char *p = mail; p < stop; p = strstr(p, "\r\n") + 2) {
		bool found = *p == ' ' || *p == '\t';

		assert(strstr(p, "\r\n") - p <= 998);
		for (size_t i = 0; i < G_N_ELEMENTS(known) && !found; i++)
			found = g_str_has_prefix(p, known[i]);
		assert(found);
	}
	assert(occurrences(mail, "\r\nFrom: ") >= 1);
	assert(occurrences(mail, "\r\nMIME-Version: 1.0\r\n") == 1);
}

static void
check_boundaries(const char *mail, bool has_parts)
{
	const char *mixed = strstr(mail, "\r\nContent-Type: multipart/mixed; "
	    "boundary=\"");
	g_autofree char *boundary = NULL;

	assert(mixed != NULL);
	boundary = g_strndup(strchr(mixed, '"') + 1, 36);
	assert(g_str_has_prefix(boundary, "=_m_"));
	assert(occurrences(mail, boundary) == (has_parts ? 4 : 3));
	boundary[2] = 'a';
	assert(occurrences(mail, boundary) == 4);
}

static char *
text_of(const struct rendered *r)
{
	gsize len;
	const char *bytes = g_bytes_get_data(r->bytes, &len);
	char *text = g_strndup(bytes, len);

	assert(strlen(text) == len);
	return text;
}

static void
check_report(const struct render_input *in, const struct rendered *mail)
{
	const struct render_envelope env = { .from = "j@d.example",
		.to = "j@a.example", .journaled_ms = 1 };
	g_autofree char *inner = text_of(mail);
	g_autofree char *outer = NULL;
	struct rendered report;

	assert(render_journal_report(renderer(), in, mail, &env, &report,
	    NULL));
	outer = text_of(&report);
	check_bytes(outer, false);
	assert(strstr(outer, inner) != NULL);
	assert(occurrences(outer, "\r\nSender: ") == 1);
	rendered_clear(&report);
}

static void
check_mail(const struct render_input *in, const struct rendered *one,
    const struct rendered *two)
{
	g_autofree char *mail = text_of(one);

	assert(g_bytes_equal(one->bytes, two->bytes));
	check_bytes(mail, true);
	check_fields(mail);
	check_boundaries(mail, !in->is_excluded);
	check_report(in, one);
}

static void
check_mails(const struct render_input *in,
    const struct render_style_conf *conf)
{
	const struct render_style *style;
	g_autoptr(GPtrArray) one = NULL, two = NULL;

	if (!render_style_get(renderer(), conf, &style, NULL))
		abort();
	assert(render_mails(renderer(), style, in, &one, NULL));
	assert(render_mails(renderer(), style, in, &two, NULL));
	assert(one->len > 0 && one->len == two->len);
	for (guint i = 0; i < one->len; i++)
		check_mail(in, one->pdata[i], two->pdata[i]);
}

static void
check_alert(const struct render_input *in, const char *rule)
{
	const struct render_style_conf conf = { .language = "ru" };
	const struct render_style *style;
	g_autofree char *mail = NULL;
	struct rendered alert;

	if (!render_style_get(renderer(), &conf, &style, NULL))
		abort();
	assert(render_alert(renderer(), style, in, rule, 1, &alert, NULL));
	mail = text_of(&alert);
	check_bytes(mail, true);
	check_fields(mail);
	rendered_clear(&alert);
}

static void
check_rules(struct render_input *in, const struct item *it)
{
	const struct render_style_conf cut = { .max_files = 1,
		.thread_index = true, .language = "pt" };
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GPtrArray) reviews = g_ptr_array_new();
	struct item_fact act = { it->text, it->note };
	const struct render_policy policy = { .word = it->target,
		.rules = words, .unsure = words, .not_here = words,
		.tags = words, .why = words, .flag = it->at_ms != 0,
		.retain = it->account, .set = it->raw, .hold_end = "expired",
		.hold_rule = it->type_name, .reviews = reviews };

	g_ptr_array_add(words, it->text != NULL ? it->text : it->key);
	g_ptr_array_add(words, it->key);
	g_ptr_array_add(reviews, &act);
	in->policy = &policy;
	in->counterpart_name = in->counterpart_name_source = it->note;
	in->employee = it->type_name;
	check_mails(in, &cut);
	in->exclude_rule = it->text;
	check_alert(in, it->text != NULL ? it->text : "rule");
	in->is_excluded = true;
	check_mails(in, &cut);
}

/* Empty ones, which cost nothing; the name and the type are the sender's. */
static GPtrArray *
files_of(struct item *it)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; it->media != NULL && i < it->media->len; i++) {
		struct render_media *m = g_new0(struct render_media, 1);

		m->media = it->media->pdata[i];
		m->state = (i + it->type) % 4;
		m->path = "/dev/null";
		hash_sha256("", 0, m->sha256);
		m->type = i & 1 ? m->media->mime_type : "image/jpeg";
		m->verdict = m->reason = it->note;
		m->hash_differs = i & 2;
		m->length_ms = it->at_ms;
		g_ptr_array_add(out, m);
	}
	return out;
}

static void
check_item(struct item *it, const struct render_event *ev)
{
	const struct render_style_conf plain = { .language = NULL };
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	g_autoptr(GPtrArray) events = g_ptr_array_new();
	g_autoptr(GPtrArray) files = files_of(it);
	struct render_input in = { .items = items, .events = events,
		.media = files, .conversation = "c" };

	g_ptr_array_add(items, it);
	g_ptr_array_add(events, (void *)(uintptr_t)ev);
	check_mails(&in, &plain);
	check_rules(&in, it);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct render_event ev = { .seq = 1, .source = "webhook",
		.received_ms = 1770127511402, .body = data, .len = len };
	GPtrArray *items = NULL;

	ev.is_json = wa_parse(data, len, &limits, &items, NULL);
	if (!ev.is_json) {
		items = item_list_new();
		g_ptr_array_add(items, item_of(data, len));
	}
	for (guint i = 0; i < MIN(items->len, 16); i++)
		check_item(g_ptr_array_index(items, i), &ev);
	g_ptr_array_unref(items);
	return 0;
}
