/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules tried on messages: reading these, judging them as build would, and
 * remembering what rules count from one to the next.
 */
#include "ctl_bench.h"

#include <json-c/json.h>
#include <string.h>

#include "conf.h"
#include "directory.h"
#include "err.h"
#include "gateway.h"
#include "item.h"
#include "policy.h"
#include "turn.h"
#include "wa.h"

/* ---- judging one after the other -------------------------------------- */

static bool
count(void *arg, const char *rule, const char *subject, const char *who,
    int64_t since_ms, int64_t *n)
{
	struct ctl_bench *b = arg;
	g_autofree char *name = g_strjoin("|", rule, subject, NULL);
	GHashTable *all = g_hash_table_lookup(b->counted, name);
	GHashTableIter it;
	gpointer key, at;

	*n = 1;
	if (all == NULL)
		return true;
	g_hash_table_iter_init(&it, all);
	while (g_hash_table_iter_next(&it, &key, &at))
		*n += strcmp(key, who) != 0 && *(int64_t *)at >= since_ms;
	return true;
}

static bool
told(void *arg, const char *rule, const char *talk, int64_t *at_ms)
{
	(void)arg;
	(void)rule;
	(void)talk;
	*at_ms = 0;
	return true;
}

static void
remember(struct ctl_bench *b, const struct policy_tally *t, int64_t at_ms)
{
	g_autofree char *name = g_strjoin("|", t->rule, t->subject, NULL);
	GHashTable *all = g_hash_table_lookup(b->counted, name);
	int64_t *at = g_new(int64_t, 1);

	if (all == NULL) {
		all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
		    g_free);
		g_hash_table_insert(b->counted, g_steal_pointer(&name), all);
	}
	*at = at_ms;
	g_hash_table_replace(all, g_strdup(t->who), at);
}

/* As build finds them, but for whom only the directory server knows. */
static const struct directory_staff *
staff_of(const struct ctl_bench *b, const struct policy_input *in)
{
	const struct directory *d = b->conf->directory;
	const struct item *it = in->item;
	const struct directory_staff *s = NULL;

	if (it->direction == ITEM_SENT &&
	    (it->author == ITEM_BOT || it->author == ITEM_OTHER_APP))
		return NULL;
	if (in->employee != NULL)
		return directory_staff_get(d, in->employee);
	if (in->business != NULL)
		s = directory_business_staff(in->business, it->at_ms > 0 ?
		    it->at_ms : in->now_ms);
	return s != NULL || it->business.number == NULL ? s :
	    directory_staff_by_number(d, it->business.number);
}

struct policy_verdict *
ctl_bench_judge(struct ctl_bench *b, struct item *it, bool at_gateway,
    int64_t now_ms)
{
	struct policy_world world = { .arg = b, .count = count,
		.told = told };
	g_autofree char *person = turn_person(it), *more = wa_more_text(it);
	g_autofree char *talk = turn_conversation(it, person);
	struct policy_input in = { .item = it, .at_gateway = at_gateway,
		.now_ms = now_ms, .talk = talk, .person = person,
		.extra_text = more };
	struct policy_verdict *v;

	in.business = directory_business_get(b->conf->directory,
	    it->business.user_id, it->business.number);
	in.customer = directory_customer_get(b->conf->directory,
	    it->counterpart.user_id, it->counterpart.number);
	if (it->send != NULL) {
		in.application = it->send->application;
		in.employee = it->send->employee;
	}
	in.staff = staff_of(b, &in);
	if (in.staff != NULL && it->author == ITEM_UNKNOWN_STAFF)
		it->author = ITEM_STAFF;
	in.is_new_counterpart = person != NULL &&
	    g_hash_table_add(b->persons, g_strdup(person));
	v = policy_judge(b->policy, b->work, &in, &world);
	for (guint i = 0; i < v->tallies->len; i++)
		remember(b, v->tallies->pdata[i], it->at_ms > 0 ? it->at_ms :
		    now_ms);
	return v;
}

bool
ctl_bench_open(struct ctl_bench *b, const struct conf *c, struct err *err)
{
	*b = (struct ctl_bench){ .conf = c };
	if (!policy_new(c->policy, NULL, NULL, &b->policy, err))
		return false;
	b->work = policy_work_new(b->policy);
	b->counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    (GDestroyNotify)g_hash_table_unref);
	b->persons = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	return true;
}

void
ctl_bench_close(struct ctl_bench *b)
{
	if (b->work == NULL)
		return;
	policy_work_free(b->work);
	policy_free(b->policy);
	g_hash_table_unref(b->counted);
	g_hash_table_unref(b->persons);
}

/* ---- what is judged ------------------------------------------------------ */

enum ctl_shape
ctl_shape_of(const void *body, size_t len)
{
	g_autofree char *text = g_strndup(body, len);
	struct json_object *o = json_tokener_parse(text), *word;
	enum ctl_shape shape = CTL_WEBHOOK;

	if (json_object_object_get_ex(o, "object", &word))
		shape = g_strcmp0(json_object_get_string(word),
		    GATEWAY_OBJECT) == 0 ? CTL_RECORD : CTL_WEBHOOK;
	else if (json_object_object_get_ex(o, "messaging_product", NULL))
		shape = CTL_SEND;
	json_object_put(o);
	return shape;
}

bool
ctl_parse(const void *body, size_t len, enum ctl_shape shape,
    GPtrArray **items, struct err *err)
{
	struct wa_limits limits = WA_LIMITS_DEFAULT;
	struct item *it = NULL;
	bool ok;

	limits.max_bytes = CTL_BODY_MAX;
	if (shape == CTL_RECORD)
		return wa_record_parse(body, len, &limits, items, err);
	if (shape == CTL_WEBHOOK)
		return wa_parse(body, len, &limits, items, err);
	ok = wa_send_parse(body, len, &limits, NULL, &it, err);
	if (!ok) {
		item_free(it);
		return false;
	}
	it->author = ITEM_STAFF;
	*items = item_list_new();
	g_ptr_array_add(*items, it);
	return true;
}

bool
ctl_is_reported(const struct item *it)
{
	return it->send != NULL && g_strcmp0(it->send->outcome,
	    gateway_outcome_name(GATEWAY_REPORTED)) == 0;
}
