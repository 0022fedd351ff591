/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verdict on paper. The input is JSON, as it travels with the record of a
 * send. Laws: what is refused leaves nothing behind; what is read prints to
 * one line that is read again and prints the same; merged with itself it does
 * not change.
 */
#include <assert.h>
#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "policy.h"

static char *
print(const struct policy_verdict *v)
{
	GString *out = g_string_new(NULL);

	policy_verdict_print(v, out);
	assert(strpbrk(out->str, "\r\n") == NULL);
	assert(strlen(out->str) == out->len);
	return g_string_free(out, FALSE);
}

static void
check_again(const struct policy_verdict *v)
{
	g_autofree char *json = print(v), *again = NULL;
	struct policy_verdict *copy = NULL;

	assert(policy_verdict_parse(json, strlen(json), &copy, NULL));
	again = print(copy);
	assert(strcmp(json, again) == 0);
	policy_verdict_free(copy);
}

static void
check_word(const struct policy_verdict *v)
{
	const char *word = policy_verdict_word(v);

	assert((strcmp(word, "block") == 0) == (v->block != NULL));
	assert(strcmp(word, "hold") != 0 || v->hold_rule != NULL);
	assert(strcmp(word, "exclude") != 0 || v->exclude_rule != NULL);
	assert((v->hold_ms > 0) == (v->hold_persons > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct policy_verdict *v = NULL;
	struct err err = ERR_INIT;

	if (!policy_verdict_parse((const char *)data, len, &v, &err)) {
		assert(v == NULL && err.kind == ERR_PERM);
		assert(strcmp(err.what, "policy.verdict") == 0);
		return 0;
	}
	check_word(v);
	check_again(v);
	policy_verdict_merge(v, v);
	check_word(v);
	check_again(v);
	policy_verdict_free(v);
	return 0;
}
