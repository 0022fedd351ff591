/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: loading and rendering.
 *
 * Rendering walks the compiled operations once; names were turned into rows
 * when the template was loaded, so it can fail only at the caps on output and
 * iterations. It keeps no state: one template may be rendered by many threads.
 */
#include "template_int.h"

#include <string.h>

#include "err.h"
#include "io.h"
#include "text.h"

struct run {
	const struct template *t;
	const struct template_scope *scope[TEMPLATE_NESTING_MAX + 1];
	guint index[TEMPLATE_NESTING_MAX + 1];	/* of scope in its list */
	int iterations;
	GString *out;
	gsize limit;		/* of out->len */
};

bool
template_load(struct template_source *source, GBytes **bytes,
    struct template **out, struct err *err)
{
	if (!io_file_load(source->name, TEMPLATE_BYTES_MAX, bytes, err)) {
		if (err != NULL)
			err->kind = ERR_CONF;
		return false;
	}
	source->text = g_bytes_get_data(*bytes, &source->len);
	return template_compile_source(source, out, err);
}

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	g_free(t->name);
	g_string_free(t->literals, TRUE);
	g_array_unref(t->ops);
	g_free(t);
}

static const struct template_op *
op_at(const struct run *r, guint i)
{
	return &g_array_index(r->t->ops, struct template_op, i);
}

/* Both: false when the cap on output is reached. */
static bool
append_value(struct run *r, const struct template_op *op)
{
	const char *s = r->scope[op->level]->string[op->row];
	size_t len = s != NULL ? strlen(s) : 0;

	if (len == 0)
		return true;
	if (len > r->limit - r->out->len)
		return false;
	template_escape(r->out, r->t->kind, s, len);
	return r->out->len <= r->limit;
}

static bool
append_literal(struct run *r, const struct template_op *op)
{
	if (op->b > r->limit - r->out->len)
		return false;
	text_append(r->out, r->t->literals->str + op->a, op->b);
	return true;
}

static const GPtrArray *
list_of(const struct run *r, const struct template_op *op)
{
	return r->scope[op->level]->list[op->row];
}

static bool
is_set(const struct run *r, const struct template_op *op)
{
	const char *s = r->scope[op->level]->string[op->row];

	switch (op->kind) {
	case TEMPLATE_STRING:
		return s != NULL && *s != '\0';
	case TEMPLATE_FLAG:
		return s != NULL;
	case TEMPLATE_LIST:
		return list_of(r, op) != NULL && list_of(r, op)->len > 0;
	}
	return false;
}

static void
enter(struct run *r, const struct template_op *each, guint index)
{
	r->index[each->b] = index;
	r->scope[each->b] = g_ptr_array_index(list_of(r, each), index);
}

/* False when the cap on iterations is reached. */
static bool
step_list(struct run *r, const struct template_op *op, guint *pc)
{
	const struct template_op *each = op;
	guint index = 0;

	if (op->code == OP_EACH && !is_set(r, op)) {
		*pc = op->a;
		return true;
	}
	if (op->code == OP_NEXT) {
		each = op_at(r, op->a);
		index = r->index[each->b] + 1;
		if (index == list_of(r, each)->len)
			return true;
		*pc = op->a + 1;
	}
	enter(r, each, index);
	return ++r->iterations <= TEMPLATE_ITERATIONS_MAX;
}

/* Does one operation; *pc is already at the next one. */
static bool
step(struct run *r, const struct template_op *op, guint *pc)
{
	switch (op->code) {
	case OP_LITERAL:
		return append_literal(r, op);
	case OP_VALUE:
		return append_value(r, op);
	case OP_SKIP_UNSET:
		*pc = is_set(r, op) ? *pc : op->a;
		return true;
	case OP_SKIP_SET:
		*pc = is_set(r, op) ? op->a : *pc;
		return true;
	case OP_EACH:
	case OP_NEXT:
		return step_list(r, op, pc);
	}
	return false;
}

bool
template_render(const struct template *t, const struct template_scope *scope,
    size_t max_bytes, GString *out, struct err *err)
{
	struct run r = { .t = t, .scope[0] = scope, .out = out,
		.limit = out->len + MIN(max_bytes, SIZE_MAX / 2) };
	guint pc = 0;

	while (pc < t->ops->len) {
		const struct template_op *op = op_at(&r, pc++);

		if (step(&r, op, &pc))
			continue;
		if (r.iterations > TEMPLATE_ITERATIONS_MAX)
			return err_set(err, ERR_PERM, "template.size",
			    "%s: more than %d list elements in one text",
			    t->name, TEMPLATE_ITERATIONS_MAX);
		return err_set(err, ERR_PERM, "template.size",
		    "%s: the text is longer than %zu bytes; "
		    "shorten the template or the turn", t->name, max_bytes);
	}
	return true;
}
