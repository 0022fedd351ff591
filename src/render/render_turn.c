/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a closed turn to its mail: loads the templates, derives the ids, and
 * calls the other files in their order. A struct render is not changed after
 * it was made, so many threads may use one.
 */
#include "render_int.h"

#include <string.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "text.h"

#define TEMPLATE_FILE_MAX (1 << 20)
#define TEXT_SIZE_GUESS 2048

/* --- ids --- */

/* kind 't' of a turn, 'c' of a conversation. */
static void
make_id(char out[RENDER_ID_SIZE], char kind,
    const uint8_t digest[HASH_SIZE])
{
	char hex[HASH_HEX_SIZE];

	g_snprintf(out, RENDER_ID_SIZE, "%c.%.32s", kind,
	    hash_hex(digest, hex));
}

char *
render_message_id(const char *tenant, const char *domain,
    const char *network, const char *first_key, const char *kind)
{
	uint8_t digest[HASH_SIZE];
	char id[RENDER_ID_SIZE];

	hash_strings(digest, tenant, network, first_key, kind, NULL);
	make_id(id, 't', digest);
	return g_strconcat(id, "@", domain, NULL);
}

/* --- templates --- */

static bool
load_template(const char *dir, const char *name, enum template_kind kind,
    struct template **out, struct err *err)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GBytes) bytes = NULL;
	const char *text;
	gsize len;

	if (!io_file_load(path, TEMPLATE_FILE_MAX, &bytes, err)) {
		if (err != NULL)
			err->kind = ERR_CONF;
		return false;
	}
	text = g_bytes_get_data(bytes, &len);
	return template_compile(path, text, len, kind, render_template_vars(),
	    out, err) &&
	    (kind != TEMPLATE_HTML || render_html_check(path, text, err));
}

static bool
check_domain(const char *what, const char *domain, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	if (domain != NULL && *domain != '\0' &&
	    domain[strspn(domain, allowed)] == '\0' && strlen(domain) <= 253)
		return true;
	return err_set(err, ERR_CONF, "render.domain", "%s \"%s\" is not a "
	    "domain name; set one of your own, such as wa.bank.example", what,
	    domain != NULL ? domain : "");
}

static bool
set_zone(struct render *r, const char *name, struct err *err)
{
	if (name == NULL || g_str_equal(name, "UTC"))
		return true;
	r->zone = clock_zone_get(name);
	return r->zone != NULL || err_set(err, ERR_CONF, "render.zone",
	    "there is no time zone \"%s\" in the system's tzdata; write one "
	    "as America/Sao_Paulo", name);
}

bool
render_new(const struct render_conf *conf, struct render **out,
    struct err *err)
{
	struct render *r;

	if (!check_domain("domain", conf->domain, err) ||
	    !check_domain("address-domain", conf->address_domain, err))
		return false;
	r = g_new0(struct render, 1);
	render_trees_init(r);
	r->tenant = g_strdup(conf->tenant != NULL ? conf->tenant : "");
	r->domain = g_ascii_strdown(conf->domain, -1);
	r->address_domain = g_ascii_strdown(conf->address_domain, -1);
	r->attach_event = conf->attach_event;
	if (!set_zone(r, conf->zone, err) ||
	    !load_template(conf->templates, "subject.txt", TEMPLATE_LINE,
		&r->subject, err) ||
	    !load_template(conf->templates, "turn.txt", TEMPLATE_TEXT,
		&r->text, err) ||
	    !load_template(conf->templates, "turn.html", TEMPLATE_HTML,
		&r->html, err)) {
		render_free(r);
		return false;
	}
	*out = r;
	return true;
}

void
render_free(struct render *r)
{
	if (r == NULL)
		return;
	g_free(r->tenant);
	g_free(r->domain);
	g_free(r->address_domain);
	template_free(r->subject);
	template_free(r->text);
	template_free(r->html);
	render_trees_clear(r);
	g_free(r);
}

/* --- a turn --- */

bool
render_attaches_events(const struct render *r, const struct render_input *in)
{
	const struct item *first = g_ptr_array_index(in->items, 0);

	return r->attach_event || first->type == ITEM_TYPE_RAW;
}

static int64_t
time_of_turn(const struct render_input *in)
{
	const struct item *first = g_ptr_array_index(in->items, 0);
	const struct render_event *ev;

	if (first->at_ms != 0 || in->events->len == 0)
		return first->at_ms;
	ev = g_ptr_array_index(in->events, 0);
	return ev->received_ms;
}

static bool
make_subject(const struct render *r, struct render_turn *t, struct err *err)
{
	g_autoptr(GString) raw = g_string_sized_new(256);
	const char *line;

	if (!template_render(r->subject, &t->view, RENDER_TEXT_MAX, raw, err))
		return false;
	line = render_line(&t->scratch, raw->str, RENDER_SUBJECT_MAX);
	t->subject = g_strdup(line != NULL ? line : "WhatsApp");
	return true;
}

bool
render_turn_begin(const struct render *r, const struct render_input *in,
    struct render_turn *t, struct err *err)
{
	const struct item *first;
	uint8_t digest[HASH_SIZE];

	memset(t, 0, sizeof(*t));
	t->in = in;
	render_scratch_init(&t->scratch);
	if (in->items->len == 0)
		return err_set(err, ERR_PERM, "render.empty",
		    "the turn has no items");
	first = g_ptr_array_index(in->items, 0);
	if (first->key == NULL || in->conversation == NULL)
		return err_set(err, ERR_PERM, "render.key", "the first item "
		    "of the turn has no key, or the turn no conversation");
	t->at_ms = time_of_turn(in);
	t->message_id = render_message_id(r->tenant, r->domain,
	    first->network != NULL ? first->network : "", first->key,
	    item_kind_name(first->kind));
	hash_strings(digest, r->tenant, in->conversation, NULL);
	make_id(t->conversation, 'c', digest);
	render_parties_find(r, &t->scratch, in, &t->who);
	render_view_fill(r, t);
	return make_subject(r, t, err);
}

void
render_turn_clear(struct render_turn *t)
{
	g_free(t->message_id);
	g_free(t->subject);
	render_scratch_clear(&t->scratch);
}

static bool
render_parts(struct render *r, struct render_turn *t, GBytes **out,
    struct err *err)
{
	g_autoptr(GString) text = g_string_sized_new(TEXT_SIZE_GUESS);
	g_autoptr(GString) html = g_string_sized_new(2 * TEXT_SIZE_GUESS);
	g_autoptr(GString) fields = g_string_sized_new(TEXT_SIZE_GUESS);

	if (!template_render(r->text, &t->view, RENDER_TEXT_MAX, text, err) ||
	    !template_render(r->html, &t->view, RENDER_TEXT_MAX, html, err))
		return false;
	render_headers(r, t, fields);
	*out = render_mime(r, t, fields, text, html);
	return true;
}

void
render_finish(struct rendered *out, char *message_id, GBytes *bytes)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);

	hash_sha256(data, len, out->sha256);
	out->message_id = message_id;
	out->bytes = bytes;
}

bool
render_turn(struct render *r, const struct render_input *in,
    struct rendered *out, struct err *err)
{
	struct render_turn t;
	GBytes *bytes = NULL;
	bool ok;

	ok = render_turn_begin(r, in, &t, err) &&
	    render_parts(r, &t, &bytes, err);
	if (ok)
		render_finish(out, g_steal_pointer(&t.message_id), bytes);
	render_turn_clear(&t);
	return ok;
}

void
rendered_clear(struct rendered *r)
{
	g_clear_pointer(&r->message_id, g_free);
	g_clear_pointer(&r->bytes, g_bytes_unref);
}
