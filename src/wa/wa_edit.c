/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that hold a message: an edit, whose new content is read into the
 * same item as if it had been sent anew, and the old wrapper of disappearing
 * messages. Only plain messages may stand inside.
 */
#include "wa_content_int.h"

static const struct wa_type *
find_row(json_object *inner)
{
	g_autofree char *name = wa_get_id(inner, "type");
	const struct wa_type *row = name != NULL ? wa_type_find(name) :
	    wa_type_guess(inner);

	return row != NULL && row->kind == ITEM_MESSAGE &&
	    row->parse != wa_ephemeral_parse ? row : NULL;
}

static void
read_frame(struct item *it, json_object *inner, const char *path,
    const struct wa_type *row)
{
	g_autofree char *context_path = g_strconcat(path, ".context", NULL);
	bool first = it->context == NULL;
	struct wa_known known[] = { { row->name, WA_ANY },
		{ "errors", WA_LIST },
		{ "type", row->type == ITEM_TYPE_TEXT ? WA_TEXT : WA_NONE },
		{ "context", first ? WA_OBJECT : WA_NONE },
		{ "referral", first ? WA_ANY : WA_NONE }, { NULL } };

	if (first)
		wa_context_parse(it, inner, context_path);
	wa_problems_read(it, inner);
	wa_rest_add(it, path, inner, known);
}

/* Leaves it->type at that of the content. */
static bool
read_inner(struct item *it, json_object *inner, const char *path)
{
	const struct wa_type *row = find_row(inner);
	g_autofree char *content_path = NULL;
	json_object *content;
	bool parsed;

	if (row == NULL)
		return false;
	content = wa_get_any(inner, row->name);
	content_path = g_strconcat(path, ".", row->name, NULL);
	it->type = wa_type_refine(row, content);
	parsed = row->parse(it, content, content_path);
	read_frame(it, inner, path, row);
	/* A caption is edited without its file being sent again. */
	return parsed || it->text != NULL;
}

bool
wa_edit_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = {
		{ "original_message_id", WA_TEXT }, { "message", WA_OBJECT },
		{ NULL } };
	g_autofree char *inner_path = g_strconcat(path, ".message", NULL);
	bool parsed = read_inner(it,
	    wa_get(content, "message", json_type_object), inner_path);

	it->type = ITEM_TYPE_EDIT;
	if (parsed)
		wa_rest_add(it, path, content, known);
	return parsed && it->target != NULL;
}

/* From before the Cloud API; both shapes were seen. */
bool
wa_ephemeral_parse(struct item *it, json_object *content, const char *path)
{
	static const struct wa_known known[] = { { "message", WA_OBJECT },
		{ NULL } };
	json_object *inner = wa_get(content, "message", json_type_object);
	g_autofree char *inner_path = g_strconcat(path, ".message", NULL);

	if (inner == NULL)
		return read_inner(it, content, path);
	if (!read_inner(it, inner, inner_path))
		return false;
	wa_rest_add(it, path, content, known);
	return true;
}
