/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The media role of `chatjournal render`: a folder in place of the network.
 * What is not in it is unavailable, and the mail says so. Nothing is copied.
 */
#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "ctl_int.h"
#include "err.h"
#include "media.h"
#include "store.h"

struct answering {
	struct ctl *ctl;
	struct media *media;
	int64_t now_ms;
	GPtrArray *answers;	/* struct answer * */
};

/* A fetch with the strings it borrows. */
struct answer {
	struct store_fetch fetch;
	struct media_result result;
	char *reason;
};

static void
free_answer(gpointer p)
{
	struct answer *a = p;

	media_result_clear(&a->result);
	g_free(a->reason);
	g_free(a);
}

/*
 * "811000000000042" or "811000000000042.jpg"; NULL: neither. Absolute: the
 * store takes other paths for its own, and a reason may name it.
 */
static char *
find_file(const char *dir, const char *id)
{
	g_autofree char *stem = g_strconcat(id, ".", NULL);
	g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
	g_autofree char *path = NULL;
	const char *name;

	while (path == NULL && d != NULL &&
	    (name = g_dir_read_name(d)) != NULL) {
		if (strcmp(name, id) == 0 || g_str_has_prefix(name, stem))
			path = g_build_filename(dir, name, NULL);
	}
	return path == NULL ? NULL : g_canonicalize_filename(path, NULL);
}

static void
set_found(struct answer *a)
{
	const struct media_result *r = &a->result;

	a->fetch.state = STORE_FETCHED;
	a->fetch.size = r->size;
	memcpy(a->fetch.sha256, r->sha256, HASH_SIZE);
	a->fetch.path = r->path;
	a->fetch.type = r->type;
	a->fetch.hash_differs = r->hash_differs;
	a->fetch.type_differs = r->type_differs;
	a->fetch.length_ms = r->length_ms;
}

static void
inspect(struct answering *k, const struct store_want *w, const char *path,
    struct answer *a)
{
	struct media_want want = { .id = w->media_id, .url = w->url,
		.mime_type = w->mime_type, .sha256 = w->sha256,
		.phone_number_id = w->business, .at_ms = w->at_ms };
	struct err err = ERR_INIT;

	if (media_inspect(k->media, &want, path, &a->result, &err)) {
		set_found(a);
	} else {
		a->reason = g_strdup(err.text);
		a->fetch.reason = a->reason;
	}
}

static bool
take_want(void *arg, const struct store_want *w, const struct store_fetch *f)
{
	struct answering *k = arg;
	g_autofree char *path = NULL;
	struct answer *a;

	if (f->state != STORE_FETCH_NONE)
		return true;
	a = g_new0(struct answer, 1);
	a->fetch = (struct store_fetch){ .want_id = w->id,
		.state = STORE_UNAVAILABLE, .attempts = 1,
		.first_ms = k->now_ms, .done_ms = k->now_ms,
		.reason = "not in the folder given with --media" };
	g_ptr_array_add(k->answers, a);
	path = find_file(k->ctl->media_dir, w->media_id);
	if (path != NULL)
		inspect(k, w, path, a);
	return true;
}

static bool
commit(struct answering *k, struct err *err)
{
	store_begin(k->ctl->store);
	for (guint i = 0; i < k->answers->len; i++)
		store_fetch_set(k->ctl->store,
		    &((struct answer *)k->answers->pdata[i])->fetch);
	return store_commit(k->ctl->store, err);
}

static bool
answer(struct answering *k, struct err *err)
{
	return store_want_list(k->ctl->store, 0, INT32_MAX, take_want, k, err) &&
	    (k->answers->len == 0 || commit(k, err));
}

bool
ctl_media_answer(struct ctl *ctl, int64_t now_ms, int64_t *n, struct err *err)
{
	struct media_conf mc = { .dir = ctl->media_dir,
		.max_bytes = INT64_MAX, .give_up_ms = INT64_MAX };
	struct answering k = { .ctl = ctl, .now_ms = now_ms };
	bool ok;

	*n = 0;
	if (ctl->media_dir == NULL)
		return true;
	if (!media_new(&mc, &k.media, err))
		return false;
	k.answers = g_ptr_array_new_with_free_func(free_answer);
	ok = answer(&k, err);
	*n = k.answers->len;
	g_ptr_array_unref(k.answers);
	media_free(k.media);
	return ok;
}
