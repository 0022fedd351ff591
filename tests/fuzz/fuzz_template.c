/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template engine. The first line of the input is used as a value, and as the
 * translation of all words; the rest as the template. Laws: what is refused
 * says where; what is accepted renders to clean UTF-8 within the cap, with no
 * markup made of a value.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "template.h"
#include "text.h"

#define OUTPUT_MAX 65536

static const struct template_var inner_vars[] = {
	{ "text", TEMPLATE_STRING, NULL, "" },
	{ "edited", TEMPLATE_FLAG, NULL, "" },
	{ "inner", TEMPLATE_LIST, inner_vars, "" },
	{ NULL },
};
static const struct template_var vars[] = {
	{ "who", TEMPLATE_STRING, NULL, "" },
	{ "group", TEMPLATE_FLAG, NULL, "" },
	{ "list", TEMPLATE_LIST, inner_vars, "" },
	{ "none", TEMPLATE_LIST, inner_vars, "" },
	{ NULL },
};

static void
check_output(const GString *out, enum template_kind kind, bool ok)
{
	g_autofree char *clean = text_clean(out->str, out->len,
	    kind == TEMPLATE_LINE ? TEXT_LINE : TEXT_BLOCK, SIZE_MAX);

	if (ok)
		assert(out->len <= OUTPUT_MAX);
	assert(text_is_utf8(out->str, out->len));
	/* Two clean pieces side by side may be one blank too many. */
	if (kind != TEMPLATE_LINE)
		assert(strcmp(clean, out->str) == 0);
	assert(kind != TEMPLATE_LINE || strpbrk(out->str, "\r\n\t") == NULL);
}

static const char *
find_words(const void *catalog, const char *words)
{
	assert(*words != '\0' && !g_ascii_isspace(*words));
	return catalog;
}

static void
try_kind(const char *text, size_t len, enum template_kind kind,
    const struct template_scope *scope)
{
	const struct template_source source = { .name = "t", .text = text,
		.len = len, .kind = kind, .vars = vars, .find = find_words,
		.catalog = scope->string[0], .catalog_name = "catalog" };
	g_autoptr(GString) out = g_string_new(NULL);
	struct template *t = NULL;
	struct err err = ERR_INIT;

	if (!template_compile_source(&source, &t, &err)) {
		assert(err.kind == ERR_CONF && g_str_has_prefix(err.text, "t:"));
		assert(t == NULL);
		return;
	}
	bool ok = template_render(t, scope, OUTPUT_MAX, out, &err);
	assert(ok || err.kind == ERR_PERM);
	check_output(out, kind, ok);
	template_free(t);
}

/* {{who}} alone: nothing of the value may be left that HTML would act on. */
static void
check_value(const struct template_scope *scope)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct template *t = NULL;

	assert(template_compile("t", "{{who}}", 7, TEMPLATE_HTML, vars, &t,
	    NULL));
	if (template_render(t, scope, OUTPUT_MAX, out, NULL))
		assert(strpbrk(out->str, "<>\"'") == NULL);
	template_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nl = len > 0 ? memchr(data, '\n', len) : NULL;
	size_t first = nl != NULL ? (size_t)(nl - data) : len;
	g_autofree char *value = g_strndup((const char *)data, first);
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	struct template_scope root = { { value, "" } };
	struct template_scope one = { { value, "" } };
	const char *text = nl != NULL ? (const char *)nl + 1 : "";
	size_t left = nl != NULL ? len - first - 1 : 0;

	root.list[2] = list;
	one.list[2] = list;	/* a list within itself: the caps hold */
	g_ptr_array_add(list, &one);
	g_ptr_array_add(list, &one);
	for (int kind = TEMPLATE_LINE; kind <= TEMPLATE_HTML; kind++)
		try_kind(text, left, (enum template_kind)kind, &root);
	check_value(&root);
	return 0;
}
