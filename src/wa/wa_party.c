/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who: the business number and the person on the other side. Since 2026 a
 * phone number may be absent; then the business-scoped user id is all there
 * is. People are matched to contacts[] by id, never by position.
 */
#include "wa_int.h"

#include <string.h>

#include "text.h"

const struct wa_party_keys wa_from_keys = {
	.number = "from", .user_id = "from_user_id",
	.parent_user_id = "from_parent_user_id",
};
const struct wa_party_keys wa_to_keys = {
	.number = "to", .user_id = "to_user_id",
	.parent_user_id = "to_parent_user_id",
};
const struct wa_party_keys wa_send_keys = {
	.number = "to", .user_id = "recipient",
};
const struct wa_party_keys wa_plain_keys = {
	.number = "wa_id", .user_id = "user_id",
	.parent_user_id = "parent_user_id", .username = "username",
};

/* "+55 (11) 4000-0001" -> "551140000001"; NULL if anything else is in it. */
char *
wa_digits(const char *number)
{
	GString *out;

	if (number == NULL)
		return NULL;
	out = g_string_sized_new(strlen(number) + 1);
	for (const char *p = number; *p != '\0'; p++) {
		if (g_ascii_isdigit(*p)) {
			g_string_append_c(out, *p);
		} else if (strchr("+ -().", *p) == NULL) {
			g_string_free(out, TRUE);
			return NULL;
		}
	}
	if (out->len == 0 || out->len > 20) {
		g_string_free(out, TRUE);
		return NULL;
	}
	return g_string_free(out, FALSE);
}

static void
fill(char **to, char *owned)
{
	if (*to == NULL)
		*to = owned;
	else
		g_free(owned);
}

/*
 * Some senders put a user id where the number belongs. Whatever is not a
 * number is taken for one, so that the item still has its conversation.
 */
static void
fill_number(struct item_party *p, char *owned)
{
	g_autofree char *who = owned;
	g_autofree char *digits = wa_digits(who);
	char *number = text_phone_digits(digits);

	if (number != NULL)
		fill(&p->number, number);
	else if (who != NULL && p->user_id == NULL)
		p->user_id = g_steal_pointer(&who);
}

void
wa_party_read(struct item_party *p, json_object *o,
    const struct wa_party_keys *keys)
{
	if (keys->user_id != NULL)
		fill(&p->user_id, wa_get_id(o, keys->user_id));
	if (keys->parent_user_id != NULL)
		fill(&p->parent_user_id, wa_get_id(o, keys->parent_user_id));
	if (keys->username != NULL)
		fill(&p->username, wa_get_id(o, keys->username));
	if (keys->number != NULL)
		fill_number(p, wa_get_id(o, keys->number));
}

/* Where a request names both, WhatsApp sends to the number. */
void
wa_recipient_read(struct item *it, json_object *o,
    const struct wa_party_keys *keys)
{
	static const struct wa_party_keys number_only = { .number = "to" };
	g_autofree char *kind = wa_get_text(o, "recipient_type");
	g_autofree char *to = wa_get_id(o, "to");

	if (g_strcmp0(kind, "group") == 0) {
		if (it->group_id == NULL)
			it->group_id = g_steal_pointer(&to);
		return;
	}
	wa_party_read(&it->counterpart, o,
	    keys == &wa_send_keys && to != NULL ? &number_only : keys);
}

static void
fill_copy(char **to, const char *from)
{
	if (*to == NULL && from != NULL)
		*to = g_strdup(from);
}

void
wa_party_merge(struct item_party *p, const struct item_party *from)
{
	fill_copy(&p->number, from->number);
	fill_copy(&p->user_id, from->user_id);
	fill_copy(&p->parent_user_id, from->parent_user_id);
	fill_copy(&p->username, from->username);
	fill_copy(&p->name, from->name);
}

bool
wa_party_is_known(const struct item_party *p)
{
	return p->user_id != NULL || p->number != NULL;
}

static void
clear_party(gpointer element)
{
	item_party_clear(element);
}

GArray *
wa_contacts_read(json_object *value)
{
	json_object *list = wa_get(value, "contacts", json_type_array);
	size_t len = wa_length(list);
	GArray *contacts = g_array_sized_new(FALSE, TRUE,
	    sizeof(struct item_party), (guint)len);

	g_array_set_clear_func(contacts, clear_party);
	for (size_t i = 0; i < len; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		json_object *profile = wa_get(o, "profile", json_type_object);
		struct item_party p = {
			.name = wa_get_id(profile, "name"),
			.username = wa_get_id(profile, "username"),
		};

		wa_party_read(&p, o, &wa_plain_keys);
		g_array_append_val(contacts, p);
	}
	return contacts;
}

static const struct item_party *
find_contact(const GArray *contacts, const struct item_party *p)
{
	const struct item_party *c = (const struct item_party *)
	    (const void *)contacts->data;

	for (guint i = 0; p->user_id != NULL && i < contacts->len; i++) {
		if (g_strcmp0(c[i].user_id, p->user_id) == 0)
			return &c[i];
	}
	for (guint i = 0; p->number != NULL && i < contacts->len; i++) {
		/* The same number with another user id is another person. */
		if (g_strcmp0(c[i].number, p->number) == 0 &&
		    (p->user_id == NULL || c[i].user_id == NULL))
			return &c[i];
	}
	/* Nothing to match by, but only one it can be. */
	if (!wa_party_is_known(p) && contacts->len == 1)
		return c;
	return NULL;
}

void
wa_party_match(const struct wa_walk *w, struct item_party *p)
{
	const struct item_party *found = w->contacts != NULL ?
	    find_contact(w->contacts, p) : NULL;

	if (found != NULL)
		wa_party_merge(p, found);
}

static void
fill_business(struct item_party *p, json_object *o)
{
	g_autofree char *number = wa_get_text(o, "display_phone_number");

	fill(&p->user_id, wa_get_id(o, "phone_number_id"));
	fill(&p->number, wa_digits(number));
}

/* Account, template and handover fields have no metadata. */
void
wa_business_read(struct item_party *p, json_object *value)
{
	g_autofree char *number = NULL;

	fill_business(p, wa_get(value, "metadata", json_type_object));
	if (p->user_id != NULL && p->number != NULL)
		return;
	fill_business(p, value);
	fill_business(p, wa_get(value, "recipient", json_type_object));
	fill_business(p, wa_get(value, "phone_number_settings",
	    json_type_object));
	number = wa_get_text(value, "phone_number");
	fill(&p->number, wa_digits(number));
}

bool
wa_is_business(const struct wa_walk *w, json_object *o, const char *key)
{
	g_autofree char *text = wa_get_text(o, key);
	g_autofree char *digits = wa_digits(text);

	return digits != NULL && g_strcmp0(digits, w->business.number) == 0;
}

static bool
is_same(const char *shown, const char *id)
{
	return shown != NULL && id != NULL && strcmp(shown, id) == 0;
}

bool
wa_names(const struct item *it, const char *id)
{
	const struct item_party *p = &it->counterpart;
	g_autofree char *digits = NULL;

	if (is_same(p->number, id) || is_same(p->user_id, id) ||
	    is_same(p->parent_user_id, id) ||
	    is_same(it->business.number, id) || is_same(it->group_id, id))
		return true;
	digits = wa_digits(id);
	return is_same(p->number, digits) ||
	    is_same(it->business.number, digits);
}

void
wa_people_add(struct item *it, json_object *o, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		g_autofree char *id = wa_get_id(o, *keys);

		if (id != NULL && !wa_names(it, id))
			item_fact_add(it, *keys, id);
	}
}

bool
wa_is_plain_recipient(json_object *o)
{
	g_autofree char *type = wa_get_text(o, "recipient_type");

	return is_same(type, "group") || is_same(type, "individual");
}
