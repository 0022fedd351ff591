/* SPDX-License-Identifier: Apache-2.0 */
/* The mails in the store, read as an archive would read them. */
#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "err.h"
#include "mail_read.h"
#include "world.h"

static struct mail_part *
read_inner(struct mail_part *read)
{
	const struct mail_part *p = mail_find(read, "message/rfc822", 0);
	gsize len;
	const char *bytes;

	if (p == NULL)
		return read;
	bytes = g_bytes_get_data(p->content, &len);
	return mail_read(bytes, len);
}

static void
read_ids(struct world_mail *m)
{
	const char *value;

	m->ids = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; (value = mail_field(m->inner, "X-ChatJournal-Item",
	    i)) != NULL; i++) {
		char *id = mail_param(value, "id");

		g_ptr_array_add(m->ids, id != NULL ? id : g_strdup(""));
	}
}

GBytes *
world_bytes(const struct store_mail *m)
{
	gsize len;
	char *bytes;

	if (m->file == NULL)
		return m->bytes != NULL ? g_bytes_new(m->bytes, m->len) : NULL;
	return g_file_get_contents(m->file, &bytes, &len, NULL) ?
	    g_bytes_new_take(bytes, len) : NULL;
}

/* RFC 5321 section 2.3.8: CR and LF only together. */
static void
check_lines(struct world *w, int64_t id, const char *data, gsize len)
{
	for (gsize i = 0; i < len; i++) {
		bool ends = data[i] == '\r' && i + 1 < len &&
		    data[i + 1] == '\n';

		if (!ends && (data[i] == '\r' || data[i] == '\n')) {
			world_fail(w, "mail %" PRId64 " has a bare CR or LF "
			    "at %zu", id, i);
			return;
		}
		i += ends;
	}
}

static void
add_mail(struct world *w, const struct store_mail *sm, GBytes *bytes)
{
	struct world_mail *m = g_new0(struct world_mail, 1);
	const char *part;
	gsize len;
	const char *data = g_bytes_get_data(bytes, &len);

	m->id = sm->id;
	m->turn_id = sm->turn_id;
	m->journal = g_strdup(sm->journal);
	m->message_id = g_strdup(sm->message_id);
	m->bytes = g_bytes_ref(bytes);
	check_lines(w, sm->id, data, len);
	m->read = mail_read(data, len);
	m->inner = read_inner(m->read);
	m->is_follow_up = g_strcmp0(mail_field(m->inner,
	    "X-ChatJournal-Event", 0), "media") == 0;
	m->is_alert = mail_field(m->inner, "X-ChatJournal-Alert", 0) != NULL;
	m->is_excluded = mail_field(m->inner, "X-ChatJournal-Excluded", 0) !=
	    NULL;
	part = mail_field(m->inner, "X-ChatJournal-Part", 0);
	/* The first is the manifest, which has all but the files. */
	m->is_part = part != NULL && !g_str_has_prefix(part, "1/");
	read_ids(m);
	g_ptr_array_add(w->mails, m);
}

/* The promise: the same Message-ID, the same bytes, for ever. */
static void
compare(struct world *w, const struct world_mail *m,
    const struct store_mail *sm, GBytes *bytes)
{
	if (strcmp(m->message_id, sm->message_id) != 0)
		world_fail(w, "mail %" PRId64 " changed its Message-ID",
		    m->id);
	if (bytes != NULL && !g_bytes_equal(bytes, m->bytes))
		world_fail(w, "mail %" PRId64 " changed its bytes", m->id);
}

static bool
take_mail(void *arg, const struct store_mail *sm)
{
	struct world *w = arg;
	g_autoptr(GBytes) bytes = world_bytes(sm);

	if (sm->id <= w->mails->len)
		compare(w, w->mails->pdata[sm->id - 1], sm, bytes);
	else if (sm->id == w->mails->len + 1 && bytes != NULL)
		add_mail(w, sm, bytes);
	else
		world_fail(w, "mail %" PRId64 " came %s", sm->id, bytes != NULL
		    ? "before its turn" : "without its bytes");
	return true;
}

void
world_look(struct world *w)
{
	struct err err = ERR_INIT;
	int64_t last = 0, n;

	for (guint i = 0; i < w->conf->journals->len; i++) {
		const struct conf_journal *j = w->conf->journals->pdata[i];

		if (!store_mail_last(w->store, j->name, &n, &err))
			world_fail(w, "mail_last: %s", err.text);
		last = MAX(last, n);
	}
	for (int64_t id = 1; id <= last && !world_failed(w); id++) {
		if (!store_mail_get(w->store, id, take_mail, w, &err))
			world_fail(w, "mail_get: %s", err.text);
	}
}
