/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the Send API: what a business wants said, as it asks for it.
 * They come to the gateway, in its records, and in the standby echoes of what
 * another app sent. Whom it is to is read whatever the type is, so that also
 * what is not understood is judged and filed under its conversation.
 */
#include "wa_content_int.h"

#include <string.h>

#include "err.h"

void
wa_request_rest_add(struct item *it, json_object *request,
    const struct wa_type *row)
{
	static const char *const people[] = { "from", "from_user_id",
		"from_parent_user_id", "to", "to_user_id",
		"to_parent_user_id", "recipient", NULL };
	const bool plain = wa_is_plain_recipient(request);
	const struct wa_known known[] = { WA_ENDS_KNOWN,
		{ "recipient", WA_TEXT }, { "type", WA_TEXT },
		{ "messaging_product", WA_TEXT },
		{ "recipient_type", plain ? WA_TEXT : WA_NONE },
		{ "context", row != NULL ? WA_OBJECT : WA_NONE },
		{ row != NULL ? row->name : "type", WA_ANY }, { NULL } };

	wa_rest_add(it, "", request, known);
	wa_people_add(it, request, people);
}

static const struct wa_type *
find_row(const struct item *it, json_object *request)
{
	const struct wa_type *row = it->type_name != NULL ?
	    wa_type_find(it->type_name) : wa_type_guess(request);

	return row != NULL && !row->network_only ? row : NULL;
}

static bool
is_same_word(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		if (g_ascii_tolower(*a == '-' ? '_' : *a) !=
		    g_ascii_tolower(*b == '-' ? '_' : *b))
			return false;
	}
	return *a == *b;
}

/* The wording of another template would be worse than none. */
static bool
is_of_template(json_object *definition, json_object *content)
{
	g_autofree char *want = wa_get_id(content, "name");
	g_autofree char *got = wa_get_id(definition, "name");
	g_autofree char *want_language = wa_get_id(wa_get_any(content,
	    "language"), "code");
	g_autofree char *got_language = wa_get_id(definition, "language");

	return want != NULL && got != NULL && strcmp(want, got) == 0 &&
	    want_language != NULL && got_language != NULL &&
	    is_same_word(want_language, got_language);
}

static bool
read_content(struct item *it, json_object *request, json_object *definition,
    const struct wa_type *row)
{
	json_object *content = wa_get_any(request, row->name);

	it->type = wa_type_refine(row, content);
	if (row->target != NULL)
		it->target = wa_get_id(content, row->target);
	if (row->type != ITEM_TYPE_TEMPLATE)
		return row->parse(it, content, row->name);
	return wa_template_read(it, content,
	    is_of_template(definition, content) ? definition : NULL, row->name);
}

static char *
make_note(const struct item *it, json_object *request,
    const struct wa_type *row)
{
	const char *name = it->type_name;

	if (row == NULL && name == NULL)
		return g_strdup("a message without a type");
	if (row == NULL)
		return g_strdup_printf("unknown message type %s", name);
	return g_strdup_printf(wa_is_empty(wa_get_any(request, row->name)) ?
	    "%s without its content" : "%s of a form that is not known",
	    name != NULL ? name : row->name);
}

/*
 * Fills an item that is sent, with kind, type, person and what is said. False:
 * not understood; it then has a note, and no facts of the request.
 */
bool
wa_request_read(struct item *it, json_object *request,
    json_object *definition)
{
	const struct wa_type *row;

	wa_recipient_read(it, request, &wa_send_keys);
	it->type_name = wa_get_id(request, "type");
	row = find_row(it, request);
	wa_context_parse(it, request, "context");
	if (row != NULL && read_content(it, request, definition, row)) {
		it->kind = row->kind;
		wa_request_rest_add(it, request, row);
		return true;
	}
	it->kind = ITEM_NOTICE;
	it->note = make_note(it, request, row);
	g_clear_pointer(&it->facts, g_ptr_array_unref);
	return false;
}

static bool
is_word_of(json_object *o, const char *key, const char *word)
{
	g_autofree char *text = wa_get_text(o, key);

	return g_strcmp0(text, word) == 0;
}

/* What the definition shows as examples is nothing that anybody said. */
static void
drop_examples(json_object *o)
{
	for (size_t i = 0; i < wa_length(o); i++)
		drop_examples(json_object_array_get_idx(o, i));
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_del(o, "example");
	json_object_object_foreach(o, key, member) {
		(void)key;
		drop_examples(member);
	}
}

void
wa_definition_trim(json_object *definition)
{
	json_object_object_del(definition, "quality_score");
	json_object_object_del(definition, "parameter_format");
	if (is_word_of(definition, "status", "APPROVED"))
		json_object_object_del(definition, "status");
	drop_examples(definition);
}

static json_object *
read_definition(const char *text, const struct wa_limits *lim)
{
	json_object *o = text != NULL ?
	    wa_json_read(text, strlen(text), lim, NULL, NULL) : NULL;

	if (o != NULL)
		wa_definition_trim(o);
	return o;
}

/* Two readers of a doubled member may each see another one. */
static bool
finish(struct item *it, bool understood, bool repeats, struct err *err)
{
	g_autofree char *note = NULL;

	if (understood && !repeats)
		return true;
	note = repeats ? g_strdup("a JSON object names a member twice") :
	    g_strdup(it->note);
	g_free(it->note);
	it->kind = ITEM_NOTICE;
	it->note = g_strconcat(note, ": shown raw", NULL);
	return err_set(err, ERR_PERM, "wa.send", repeats ?
	    "the request cannot be judged (%s): name each member once" :
	    "the request is no message that can be judged (%s): give it a "
	    "known type and its content", note);
}

bool
wa_send_parse(const void *body, size_t len, const struct wa_limits *lim,
    const char *definition, struct item **out, struct err *err)
{
	const struct wa_walk nowhere = { 0 };
	bool repeats = false, understood;
	json_object *root = wa_json_read(body, len, lim, &repeats, err);
	json_object *defined;

	if (root == NULL)
		return false;
	defined = read_definition(definition, lim);
	*out = wa_item_begin(&nowhere, root);
	(*out)->direction = ITEM_SENT;
	(*out)->author = ITEM_UNKNOWN_STAFF;
	understood = wa_request_read(*out, root, defined);
	json_object_put(defined);
	json_object_put(root);
	return finish(*out, understood, repeats, err);
}
