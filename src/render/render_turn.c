/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a closed turn to its mails: derives the ids, and calls the other files
 * in their order. Once it has its styles a struct render is not changed any
 * more, so many threads may use one.
 */
#include "render_int.h"

#include <string.h>

#include "clock.h"
#include "err.h"

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

/* --- the renderer --- */

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
	const struct render_language *english;
	struct render *r;

	if (!check_domain("domain", conf->domain, err) ||
	    !check_domain("address-domain", conf->address_domain, err))
		return false;
	r = g_new0(struct render, 1);
	render_outlines_init(r);
	r->tenant = g_strdup(conf->tenant != NULL ? conf->tenant : "");
	r->domain = g_ascii_strdown(conf->domain, -1);
	r->address_domain = g_ascii_strdown(conf->address_domain, -1);
	r->attach_event = conf->attach_event;
	r->templates = g_strdup(conf->templates);
	r->spool = g_strdup(conf->spool);
	r->alive = conf->alive;
	r->languages = g_ptr_array_new_with_free_func(render_language_free);
	r->styles = g_ptr_array_new_with_free_func(render_style_free);
	if (!set_zone(r, conf->zone, err) ||
	    !render_language_get(r, NULL, &english, err)) {
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
	g_free(r->templates);
	g_free(r->spool);
	g_ptr_array_unref(r->styles);
	g_ptr_array_unref(r->languages);
	render_outlines_clear(r);
	g_free(r);
}

/* --- a turn --- */

static bool
has_raw_item(const struct render_input *in)
{
	for (guint i = 0; i < in->items->len; i++) {
		const struct item *it = g_ptr_array_index(in->items, i);

		if (it->type == ITEM_TYPE_RAW)
			return true;
	}
	return false;
}

bool
render_attaches_events(const struct render *r, const struct render_input *in)
{
	/* A follow-up brings files; the first mail had the events. */
	return !in->is_follow_up && !in->is_excluded && (r->attach_event || has_raw_item(in));
}

/* Two files of one message may have the same id, and are two mails. */
static guint
place_of(const struct item *it, const struct item_media *media)
{
	guint place = 0;

	if (it->media == NULL ||
	    !g_ptr_array_find(it->media, media, &place))
		return 0;
	return place;
}

/*
 * Of what it says of which files: what is late today and here tomorrow are
 * two mails.
 */
static char *
follow_up_id(const struct render *r, const struct render_input *in)
{
	const struct item *first = g_ptr_array_index(in->items, 0);
	g_autoptr(GString) files = g_string_new(first->key);
	char hex[HASH_HEX_SIZE];

	for (guint i = 0; in->media != NULL && i < in->media->len; i++) {
		const struct render_media *m = in->media->pdata[i];
		const char *id = m->media->id != NULL ? m->media->id
		    : m->media->url;

		g_string_append_printf(files, "\n%u\n%s\n%d\n%s",
		    place_of(first, m->media), id != NULL ? id : "",
		    (int)m->state,
		    m->state == RENDER_MEDIA_HELD
		    ? hash_hex(m->sha256, hex) : "");
	}
	return render_message_id(r->tenant, r->domain,
	    first->network != NULL ? first->network : "", files->str,
	    "media");
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
make_subject(struct render_turn *t, struct err *err)
{
	g_autoptr(GString) raw = g_string_sized_new(256);
	const char *line;

	if (!template_render(t->style->language->subject, &t->view,
	    RENDER_TEXT_MAX, raw, err))
		return false;
	line = render_line(&t->scratch, raw->str, RENDER_SUBJECT_MAX);
	t->subject = g_strdup(line != NULL ? line : "WhatsApp");
	return true;
}

bool
render_turn_begin(const struct render *r, const struct render_style *style,
    const struct render_input *in, struct render_turn *t, struct err *err)
{
	const struct item *first;
	uint8_t digest[HASH_SIZE];

	memset(t, 0, sizeof(*t));
	t->in = in;
	if (in->is_excluded) {
		t->record = *in;
		t->record.originals = NULL;
		t->in = in = &t->record;
	}
	t->style = style;
	render_scratch_init(&t->scratch);
	if (in->items->len == 0)
		return err_set(err, ERR_PERM, "render.empty",
		    "the turn has no items");
	first = g_ptr_array_index(in->items, 0);
	if (first->key == NULL || in->conversation == NULL)
		return err_set(err, ERR_PERM, "render.key", "the first item "
		    "of the turn has no key, or the turn no conversation");
	t->at_ms = time_of_turn(in);
	t->is_aged = style->max_age_ms > 0 &&
	    in->now_ms - t->at_ms > style->max_age_ms;
	t->message_id = in->is_follow_up ? follow_up_id(r, in)
	    : render_message_id(r->tenant, r->domain,
	    first->network != NULL ? first->network : "", first->key,
	    item_kind_name(first->kind));
	hash_strings(digest, r->tenant, in->conversation, NULL);
	make_id(t->conversation, 'c', digest);
	render_parties_find(r, &t->scratch, in, style->language->words,
	    &t->who);
	render_files_find(r, t);
	render_view_fill(r, t);
	return make_subject(t, err);
}

void
render_turn_clear(struct render_turn *t)
{
	render_files_clear(t);
	g_free(t->message_id);
	g_free(t->subject);
	render_scratch_clear(&t->scratch);
}
