/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the language for matches, actions, subjects of counts and
 * states of consent. Every word is said here and nowhere else; what has no
 * word is refused by its reader, nothing is guessed.
 */
#include "policy.h"

#include <string.h>

static const char *const match_names[POLICY_MATCHES] = {
	[POLICY_DIRECTION] = "direction",
	[POLICY_AT] = "at",
	[POLICY_NETWORK] = "network",
	[POLICY_BUSINESS] = "business",
	[POLICY_DESK] = "desk",
	[POLICY_AUTHOR] = "author",
	[POLICY_APPLICATION] = "application",
	[POLICY_EMPLOYEE] = "employee",
	[POLICY_GROUP] = "group",
	[POLICY_CUSTOMER] = "customer",
	[POLICY_CUSTOMER_LIST] = "customer-list",
	[POLICY_NEW_COUNTERPART] = "new-counterpart",
	[POLICY_SCRIPT] = "script",
	[POLICY_KIND] = "kind",
	[POLICY_TYPE] = "type",
	[POLICY_TEMPLATE] = "template",
	[POLICY_MEDIA_TYPE] = "media-type",
	[POLICY_FILE_SIZE] = "file-size",
	[POLICY_FILE_NAME] = "file-name",
	[POLICY_TEXT_SIZE] = "text-size",
	[POLICY_LINK_HOST] = "link-host",
	[POLICY_TIME] = "time",
	[POLICY_AGE] = "age",
	[POLICY_LEXICON] = "lexicon",
	[POLICY_PATTERN] = "pattern",
	[POLICY_TEXT] = "text",
	[POLICY_DETECT] = "detect",
	[POLICY_MALWARE] = "malware",
	[POLICY_CONSENT] = "consent",
	[POLICY_ALWAYS] = "always",
	[POLICY_ALL] = "all",
	[POLICY_ANY] = "any",
	[POLICY_NOT] = "not",
};

static const char *const act_names[POLICY_ACTS] = {
	[POLICY_TAG] = "tag",
	[POLICY_FLAG] = "flag",
	[POLICY_RETAIN] = "retain",
	[POLICY_JOURNAL] = "journal",
	[POLICY_ONLY_JOURNAL] = "only-journal",
	[POLICY_COPY] = "copy",
	[POLICY_ALERT] = "alert",
	[POLICY_HOLD] = "hold",
	[POLICY_QUARANTINE] = "quarantine",
	[POLICY_EXCLUDE] = "exclude",
	[POLICY_CONSENT_SET] = "consent",
	[POLICY_BLOCK] = "block",
	[POLICY_APPEND] = "append",
	[POLICY_PREPEND] = "prepend",
	[POLICY_REQUIRE_CONSENT] = "require-consent",
	[POLICY_REQUIRE_NOTICE] = "require-notice",
	[POLICY_APPROVE] = "approve",
};

static const char *const per_names[] = {
	[POLICY_PER_RULE] = "rule",
	[POLICY_PER_BUSINESS] = "business",
	[POLICY_PER_DESK] = "desk",
	[POLICY_PER_EMPLOYEE] = "employee",
	[POLICY_PER_APPLICATION] = "application",
	[POLICY_PER_TEMPLATE] = "template",
};

static const char *const consent_names[] = {
	[POLICY_CONSENT_UNKNOWN] = "unknown",
	[POLICY_CONSENT_GIVEN] = "given",
	[POLICY_CONSENT_WITHDRAWN] = "withdrawn",
};

/* Its place in the table, or -1. */
static int
find(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

const char *
policy_match_name(enum policy_match m)
{
	return match_names[m];
}

bool
policy_match_parse(const char *name, enum policy_match *out)
{
	int i = find(match_names, G_N_ELEMENTS(match_names), name);

	if (i >= 0)
		*out = (enum policy_match)i;
	return i >= 0;
}

const char *
policy_act_name(enum policy_act a)
{
	return act_names[a];
}

bool
policy_act_parse(const char *name, enum policy_act *out)
{
	int i = find(act_names, G_N_ELEMENTS(act_names), name);

	if (i >= 0)
		*out = (enum policy_act)i;
	return i >= 0;
}

const char *
policy_per_name(enum policy_per per)
{
	return per_names[per];
}

bool
policy_per_parse(const char *name, enum policy_per *out)
{
	int i = find(per_names, G_N_ELEMENTS(per_names), name);

	if (i >= 0)
		*out = (enum policy_per)i;
	return i >= 0;
}

const char *
policy_consent_name(enum policy_consent c)
{
	return consent_names[c];
}

bool
policy_consent_parse(const char *name, enum policy_consent *out)
{
	int i = find(consent_names, G_N_ELEMENTS(consent_names), name);

	if (i >= 0)
		*out = (enum policy_consent)i;
	return i >= 0;
}
