/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before a send may leave: who writes to whom, what the customer would read,
 * and what the bank's rules say of it. Reads the store; writes nothing but a
 * question to the directory role. What is not known yet makes the send wait,
 * never longer than is configured.
 */
#include <string.h>

#include "conf.h"
#include "directory.h"
#include "err.h"
#include "gw_int.h"
#include "item.h"
#include "policy.h"
#include "role_int.h"
#include "text.h"
#include "turn.h"
#include "wa.h"

/* ---- who of the staff ------------------------------------------------------ */

/* An answer that is used although it is old is asked for again. */
#define ASK_AGAIN_MS 60000
#define ASKED_MAX 20000

struct answer {
	int64_t oldest_ms;	/* one that held until before is not used */
	int64_t until_ms;	/* it holds until then */
	struct directory_staff *staff;
	bool is_there, is_unclear;
};

static bool
take_answer(void *arg, const struct store_answer *a)
{
	struct answer *out = arg;

	out->until_ms = a->until_ms;
	out->is_there = a->until_ms >= out->oldest_ms;
	out->is_unclear = role_staff_is_unclear(a);
	if (out->is_there)
		out->staff = role_staff_read(a);
	return false;
}

/*
 * Since when this is asked (monotonic): nobody waits for it twice while the
 * server is down. age_ms: it is asked again if it was before that.
 */
static int64_t
ask(struct gw *g, const struct gw_send *s, int64_t now_ms, int64_t mono_ms,
    int64_t age_ms)
{
	int64_t *at = g_hash_table_lookup(g->staff_asked, s->employee);

	if (at != NULL && mono_ms - *at < age_ms)
		return *at;
	if (g_hash_table_size(g->staff_asked) >= ASKED_MAX)
		g_hash_table_remove_all(g->staff_asked);
	at = g_new(int64_t, 1);
	*at = mono_ms;
	g_hash_table_replace(g->staff_asked, g_strdup(s->employee), at);
	gw_begin(g);
	store_ask_add(g->store, STORE_GATEWAY, "id", s->employee, now_ms);
	g->asks = true;
	return mono_ms;
}

static void
take_staff(struct gw *g, struct gw_send *s, const struct answer *a,
    int64_t now_ms, int64_t mono_ms)
{
	s->remote_staff = a->staff;
	if (s->staff == NULL)
		s->staff = a->staff;
	s->groups_unknown = a->is_unclear;
	s->staff_sought = true;
	if (a->until_ms <= now_ms)
		ask(g, s, now_ms, mono_ms, ASK_AGAIN_MS);
	else
		g_hash_table_remove(g->staff_asked, s->employee);
}

static bool
has_groups(const struct directory_staff *staff)
{
	return staff != NULL && staff->groups != NULL &&
	    staff->groups->len > 0;
}

/*
 * The caller names the employee; only for groups does it matter who that is.
 * What the file says of them counts. False: the directory role is asked, and
 * there is time to wait for it.
 */
static bool
find_staff(struct gw *g, struct gw_send *s, int64_t now_ms, int64_t mono_ms)
{
	struct answer a = { .oldest_ms = now_ms - g->conf->ldap.stale_ms };

	if (s->staff_sought || s->employee == NULL)
		return true;
	s->staff = directory_staff_get(g->conf->directory, s->employee);
	s->staff_sought = g->conf->ldap.url == NULL || !g->asks_groups ||
	    has_groups(s->staff);
	if (s->staff_sought)
		return true;
	if (store_answer_get(g->store, "id", s->employee, take_answer, &a,
	    NULL) && a.is_there) {
		take_staff(g, s, &a, now_ms, mono_ms);
		return true;
	}
	if (s->staff_until_ms == 0)
		s->staff_until_ms = ask(g, s, now_ms, mono_ms, INT64_MAX) +
		    g->conf->ldap.wait_ms;
	s->groups_unknown = s->staff_sought = mono_ms >= s->staff_until_ms;
	return s->staff_sought;
}

/* Those that the server knows of somebody whom the file names. */
static const GPtrArray *
more_groups(const struct gw_send *s)
{
	return s->remote_staff != NULL && s->remote_staff != s->staff ?
	    s->remote_staff->groups : NULL;
}

/* ---- to whom --------------------------------------------------------------- */

bool
gw_account(struct gw *g, struct gw_send *s)
{
	const struct directory_business *biz = directory_business_get(
	    g->conf->directory, s->business, NULL);

	if (s->account != NULL || s->business == NULL)
		return true;
	if (biz != NULL && biz->account != NULL) {
		s->account = g_strdup(biz->account);
		return true;
	}
	return store_alias_get(g->store, ROLE_ACCOUNTS, s->business, &s->account,
	    NULL);
}

static void
find_person(struct gw *g, struct gw_send *s)
{
	g_autofree char *id = NULL;
	struct item *it = s->item;

	if (it == NULL || s->talk != NULL)
		return;
	g_free(it->business.user_id);
	it->business.user_id = g_strdup(s->business);
	if (it->network == NULL)
		it->network = g_strdup(WA_NETWORK);
	s->realm = s->account != NULL ?
	    g_strjoin("|", WA_NETWORK, s->account, NULL) :
	    g_strdup(WA_NETWORK);
	id = turn_person(it);
	if (id != NULL && !store_alias_get(g->store, s->realm, id,
	    &s->person, NULL))
		s->person = NULL;
	if (s->person == NULL)
		s->person = g_steal_pointer(&id);
	s->talk = turn_conversation(it, s->person);
}

/* ---- the store as the memory of rules -------------------------------------- */

static bool
count(void *arg, const char *rule, const char *subject, const char *who,
    int64_t since_ms, int64_t *n)
{
	struct gw *g = arg;

	return store_tally_count(g->store, STORE_GATEWAY, rule, subject, who,
	    since_ms, n, NULL);
}

static bool
told(void *arg, const char *rule, const char *talk, int64_t *at_ms)
{
	struct gw *g = arg;

	return store_told_get(g->store, rule, talk, at_ms, NULL);
}

static enum policy_consent
consent_of(struct gw *g, const struct gw_send *s)
{
	g_autofree char *state = NULL;

	if (s->person == NULL || !store_consent_get(g->store, s->realm,
	    s->person, INT64_MAX, &state, NULL) || state == NULL)
		return POLICY_CONSENT_UNKNOWN;
	return strcmp(state, policy_consent_name(POLICY_CONSENT_GIVEN)) ==
	    0 ? POLICY_CONSENT_GIVEN : POLICY_CONSENT_WITHDRAWN;
}

static bool
take_any(void *arg, const struct store_identity *id)
{
	(void)id;
	*(bool *)arg = true;
	return false;
}

/* ---- files ----------------------------------------------------------------- */

static void
free_file(gpointer p)
{
	struct policy_file *f = p;

	g_free((char *)(uintptr_t)f->name);
	g_free((char *)(uintptr_t)f->type);
	g_free(f);
}

static bool
take_upload(void *arg, const struct store_upload *u)
{
	struct policy_file *f = arg;

	f->name = g_strdup(u->name);
	f->type = g_strdup(u->type);
	f->size = u->size;
	if (u->verdict == NULL)
		return false;
	f->malware = strcmp(u->verdict, "clean") == 0 ?
	    POLICY_MALWARE_CLEAN : g_str_has_prefix(u->verdict, "infected") ?
	    POLICY_MALWARE_INFECTED : POLICY_MALWARE_UNSCANNED;
	return false;
}

static GPtrArray *
files_of(struct gw *g, const struct gw_send *s)
{
	GPtrArray *files;

	if (s->item == NULL || s->item->media == NULL)
		return NULL;
	files = g_ptr_array_new_with_free_func(free_file);
	for (guint i = 0; i < s->item->media->len; i++) {
		const struct item_media *m = s->item->media->pdata[i];
		struct policy_file *f = g_new0(struct policy_file, 1);

		f->size = -1;
		g_ptr_array_add(files, f);
		if (m->id != NULL)
			store_upload_get(g->store, m->id, take_upload, f,
			    NULL);
		if (f->name == NULL)
			f->name = g_strdup(m->filename);
		if (f->type == NULL)
			f->type = g_strdup(m->mime_type);
	}
	return files;
}

/* ---- the verdict, and what follows from it --------------------------------- */

static void
block(struct gw_send *s, const char *reason)
{
	gw_send_refuse(s, GATEWAY_REFUSE_POLICY, reason);
	s->outcome = GATEWAY_BLOCKED;
}

/* Texts of the rules around the text of the message. */
static void
add_texts(struct gw_send *s)
{
	g_autoptr(GString) before = g_string_new(NULL);
	g_autoptr(GString) after = g_string_new(NULL);
	g_autofree char *callback = g_strconcat(WA_CALLBACK_PREFIX, s->key,
	    NULL);
	const GPtrArray *list = s->verdict != NULL && !s->is_observed ?
	    s->verdict->additions : NULL;
	struct err err = ERR_INIT;
	gsize len;
	const void *body = g_bytes_get_data(s->request, &len);

	for (guint i = 0; list != NULL && i < list->len; i++) {
		const struct policy_addition *a = list->pdata[i];

		GString *to = a->before ? before : after;

		if (to->len > 0)
			g_string_append(to, "\n\n");
		g_string_append(to, a->text);
	}
	if (gateway_body_change(body, len, before->len > 0 ? before->str :
	    NULL, after->len > 0 ? after->str : NULL, callback, &s->sent,
	    &err)) {
		s->has_additions = list != NULL;
		return;
	}
	/* What a rule adds is said, or nothing is: chatjournal-policy(5). */
	if (before->len > 0 || after->len > 0)
		block(s, err.text);
	g_clear_pointer(&s->sent, g_bytes_unref);
}

static void
act(struct gw *g, struct gw_send *s)
{
	const struct policy_verdict *v = s->verdict;

	if (v != NULL && g->conf->gateway.mode == CONF_GATEWAY_OBSERVE &&
	    (v->block != NULL || v->hold_ms > 0 || v->additions->len > 0))
		s->is_observed = true;
	if (v != NULL && !s->is_observed && v->block != NULL) {
		block(s, v->block);
		return;
	}
	add_texts(s);
	if (!s->is_refused && v != NULL && !s->is_observed &&
	    v->hold_ms > 0)
		s->phase = GW_HELD;
}

static void
judge(struct gw *g, struct gw_send *s, const struct directory_business *biz,
    int64_t now_ms)
{
	struct policy_world world = { .arg = g, .count = count,
		.told = told };
	g_autoptr(GPtrArray) files = files_of(g, s);
	g_autofree char *more = wa_more_text(s->item);
	g_autoptr(GString) json = NULL;
	struct policy_input in = { .item = s->item, .at_gateway = true,
		.now_ms = now_ms, .talk = s->talk, .person = s->person,
		.business = biz, .staff = s->staff,
		.application = s->app_name, .employee = s->employee,
		.groups = more_groups(s),
		.groups_unknown = s->groups_unknown, .files = files,
		.extra_text = more };
	bool seen = false;

	in.customer = directory_customer_get(g->conf->directory,
	    s->item->counterpart.user_id, s->item->counterpart.number);
	in.consent = consent_of(g, s);
	in.new_unknown = s->person == NULL || !store_identity_now(g->store,
	    s->realm, s->person, NULL, take_any, &seen, NULL);
	in.is_new_counterpart = !seen;
	s->verdict = policy_judge(g->policy, g->policy_work, &in, &world);
	json = g_string_new(NULL);
	policy_verdict_print(s->verdict, json);
	s->verdict_json = g_string_free(g_steal_pointer(&json), FALSE);
}

static bool
parse_item(struct gw *g, struct gw_send *s, struct err *err)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	gsize len;
	const void *body = g_bytes_get_data(s->request, &len);

	limits.max_bytes = (size_t)g->conf->gateway.max_body_bytes;
	return wa_send_parse(body, len, &limits, s->definition, &s->item, err);
}

/* What it was held for is in force: it is not judged again. */
void
gw_recall(struct gw *g, struct gw_send *s)
{
	if (s->verdict == NULL)
		return;
	s->has_additions = s->sent != NULL && s->verdict->additions->len > 0;
	if (s->has_additions && parse_item(g, s, NULL))
		find_person(g, s);
}

/* Nothing leaves unseen: what is no message that is known is refused. */
static void
read_item(struct gw *g, struct gw_send *s)
{
	struct err err = ERR_INIT;

	if (s->item == NULL && !parse_item(g, s, &err))
		gw_send_refuse(s, GATEWAY_REFUSE_JSON, err.text);
}

/* False: it is not for this application, or cannot be told. */
static bool
find_group(struct gw *g, struct gw_send *s)
{
	g_autofree char *number = NULL;
	struct err err = ERR_INIT;

	if (s->what != GATEWAY_GROUP || gateway_is_number_id(s->business))
		return true;
	if (!store_alias_get(g->store, ROLE_GROUPS, s->business, &number,
	    &err)) {
		gw_send_refuse(s, GATEWAY_REFUSE_STORE, err.text);
		return false;
	}
	if (gateway_is_limited(s->app) && (number == NULL ||
	    !gateway_may_use(s->app, number))) {
		gw_send_refuse(s, GATEWAY_REFUSE_BUSINESS, number == NULL ?
		    "no webhook said yet of which business number this group "
		    "is" : "this application may not use the number of this "
		    "group; see `business` of its application block");
		return false;
	}
	if (number != NULL) {
		g_free(s->business);
		s->business = g_steal_pointer(&number);
	}
	return true;
}

bool
gw_judge(struct gw *g, struct gw_send *s, int64_t now_ms, int64_t mono_ms)
{
	const struct directory_business *biz;

	if (!find_group(g, s))
		return true;
	biz = directory_business_get(g->conf->directory, s->business, NULL);
	if (!gw_account(g, s)) {
		gw_send_refuse(s, GATEWAY_REFUSE_STORE,
		    "the store cannot be read");
		return true;
	}
	if (s->what != GATEWAY_SEND)
		return true;
	if (!gw_definition(g, s, now_ms, mono_ms))
		return false;
	read_item(g, s);
	if (s->is_refused)
		return true;
	if (!policy_is_empty(g->policy)) {
		if (!find_staff(g, s, now_ms, mono_ms))
			return false;
		find_person(g, s);
		s->item->at_ms = s->received_ms;
		s->item->direction = ITEM_SENT;
		s->item->author = g_strcmp0(s->author, "bot") == 0 ?
		    ITEM_BOT : ITEM_STAFF;
		judge(g, s, biz, now_ms);
	}
	act(g, s);
	return true;
}
