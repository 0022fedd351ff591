/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who took part, under which name and mail address.
 *
 * Addresses of chat parties are made up below address_domain. The local part
 * is never a '+' number (archives cut from '+' to '@') and never an id whose
 * case matters (archives lower-case addresses): such ids are hashed. A party
 * of whom nothing is known still gets an address, as a mail without sender
 * is refused by many archives.
 */
#include "render_int.h"

#include <string.h>

#include "directory.h"
#include "render_words.h"
#include "text.h"

#define USER_ID_MAX 255
#define ADDRESS_MAX 254	/* RFC 5321 section 4.5.3.1.3 */

static const struct item *
first_item(const struct render_input *in)
{
	return g_ptr_array_index(in->items, 0);
}

/* Digits without '+', or NULL when it is not a phone number. */
static const char *
phone(struct render_scratch *s, const char *number)
{
	char *digits = text_phone_digits(number);

	return digits != NULL ? render_keep(s, digits) : NULL;
}

static const char *
hashed_address(const struct render *r, struct render_scratch *s,
    const char *prefix, const char *id)
{
	uint8_t digest[HASH_SIZE];
	char b32[HASH_B32_SIZE];

	hash_sha256(id, strlen(id), digest);
	return render_strings(s, prefix, "-", hash_base32(digest, b32), "@",
	    r->address_domain, NULL);
}

static const char *
person_address(const struct render *r, struct render_scratch *s,
    const char *number, const char *user_id)
{
	if (number != NULL)
		return render_strings(s, "wa-", number, "@",
		    r->address_domain, NULL);
	if (user_id != NULL)
		return hashed_address(r, s, "wau", user_id);
	return render_format(s, "unknown@%s", r->address_domain);
}

/* From the directory file, so it is only kept from harming the header. */
static const char *
mail_address(struct render_scratch *s, const char *mail)
{
	const char *line = render_ascii(s, mail, SIZE_MAX);
	char *out;

	if (line != NULL && strlen(line) > ADDRESS_MAX)
		return NULL;
	if (line == NULL || line[strcspn(line, "<>()[],;:\\\"")] == '\0')
		return line;
	out = render_copy(s, line);
	return g_strdelimit(out, "<>()[],;:\\\"", '_');
}

/* counterpart_name_source; looked up where it is shown. */
__attribute__((unused)) static const char *const sources[] = {
	WORD("contact list"), WORD("profile"),
};

/* The bank's own file is trusted most, what customers say of themselves least. */
static void
name_customer(struct render_party *p, struct render_scratch *s,
    const struct render_input *in)
{
	const struct directory_customer *c = in->customer;

	p->name = c != NULL ? render_line(s, c->name, RENDER_NAME_MAX) : NULL;
	if (p->name == NULL && in->counterpart_name != NULL) {
		p->name = render_line(s, in->counterpart_name,
		    RENDER_NAME_MAX);
		p->name_source = p->name != NULL ? render_line(s,
		    in->counterpart_name_source, RENDER_NAME_MAX) : NULL;
	}
	if (p->name == NULL)
		p->name = p->given_name;
	if (p->name == NULL && p->username != NULL)
		p->name = render_format(s, "@%s", p->username);
	if (p->name == NULL && p->number != NULL)
		p->name = render_strings(s, "+", p->number, NULL);
	if (p->name == NULL)
		p->name = p->user_id != NULL ? p->user_id :
		    render_word(p->words, WORD("unknown"));
}

static void
find_customer(const struct render *r, struct render_scratch *s,
    const struct render_input *in, struct render_party *p)
{
	const struct item_party *who = &first_item(in)->counterpart;
	const char *user_id = in->counterpart_user_id != NULL ?
	    in->counterpart_user_id : who->user_id;

	p->what = WORD("customer");
	p->is_chat = true;
	p->number = phone(s, in->counterpart_number);
	if (p->number == NULL)
		p->number = phone(s, who->number);
	/* Some senders put an id where the number belongs. */
	if (p->number == NULL && user_id == NULL)
		user_id = who->number;
	p->user_id = render_line(s, user_id, USER_ID_MAX);
	p->parent_user_id = render_line(s, who->parent_user_id, USER_ID_MAX);
	p->username = render_line(s, who->username, RENDER_NAME_MAX);
	p->given_name = render_line(s, who->name, RENDER_NAME_MAX);
	if (in->customer != NULL)
		p->customer_id = render_line(s, in->customer->id,
		    RENDER_NAME_MAX);
	p->address = person_address(r, s, p->number, user_id);
	name_customer(p, s, in);
}

static const char *
business_number(struct render_scratch *s, const struct render_input *in)
{
	const char *number = phone(s, first_item(in)->business.number);

	if (number == NULL && in->business != NULL)
		number = phone(s, in->business->number);
	return number;
}

static const char *
business_id(struct render_scratch *s, const struct render_input *in)
{
	const char *id = first_item(in)->business.user_id;

	if (id == NULL && in->business != NULL)
		id = in->business->id;
	return render_line(s, id, USER_ID_MAX);
}

static void
find_number(const struct render *r, struct render_scratch *s,
    const struct render_input *in, struct render_party *p)
{
	const char *account = render_line(s, first_item(in)->account,
	    USER_ID_MAX);

	p->what = WORD("business");
	p->is_chat = true;
	if (p->business_number != NULL) {
		p->name = render_strings(s, "+", p->business_number, NULL);
		p->address = person_address(r, s, p->business_number, NULL);
	} else if (p->business_id != NULL) {
		p->name = render_phrase(p->words, s, WORD("number %s"),
		    p->business_id);
		p->address = hashed_address(r, s, "wai", p->business_id);
	} else if (account != NULL) {
		p->name = render_phrase(p->words, s, WORD("account %s"), account);
		p->address = hashed_address(r, s, "waba", account);
	} else {
		p->name = render_word(p->words, WORD("unknown"));
		p->address = person_address(r, s, NULL, NULL);
	}
	p->line = p->name;
}

/* What a program sent, no employee wrote. */
static bool
is_written_by_staff(const struct item *it)
{
	return it->direction != ITEM_SENT ||
	    (it->author != ITEM_BOT && it->author != ITEM_OTHER_APP);
}

/* The employee if known, else the desk, else the bare number. */
static void
find_business(const struct render *r, struct render_scratch *s,
    const struct render_input *in, struct render_party *p)
{
	const struct directory_business *b = in->business;

	p->business_number = business_number(s, in);
	p->business_id = business_id(s, in);
	find_number(r, s, in, p);
	if (b != NULL) {
		p->business = render_line(s, b->name, RENDER_NAME_MAX);
		p->mail = mail_address(s, b->mail);
		if (p->business != NULL) {
			p->name = p->business;
			p->is_chat = p->mail == NULL;
		}
	}
	if (p->mail != NULL)
		p->what = WORD("desk");
	if (in->staff == NULL && is_written_by_staff(first_item(in)))
		p->employee_id = render_line(s, in->employee, RENDER_NAME_MAX);
	if (in->staff != NULL && is_written_by_staff(first_item(in))) {
		const char *name = render_line(s, in->staff->name,
		    RENDER_NAME_MAX);
		const char *mail = mail_address(s, in->staff->mail);

		p->what = WORD("employee");
		p->employee_id = render_line(s, in->staff->id,
		    RENDER_NAME_MAX);
		p->name = name != NULL ? name : p->name;
		p->is_chat = false;
		p->mail = mail != NULL ? mail : p->mail;
	}
	if (p->mail != NULL)
		p->address = p->mail;
}

static void
find_group(const struct render *r, struct render_scratch *s,
    const struct render_input *in, struct render_party *p)
{
	p->what = WORD("group");
	p->is_group = p->is_chat = true;
	p->group_id = render_line(s, first_item(in)->group_id, USER_ID_MAX);
	p->name = render_word(p->words, WORD("Group"));
	p->address = hashed_address(r, s, "wag", first_item(in)->group_id);
}

static void
find_network(const struct render *r, struct render_scratch *s,
    struct render_party *p)
{
	p->what = WORD("network");
	p->name = "WhatsApp";
	p->address = render_format(s, "whatsapp@%s", r->address_domain);
}

static struct render_party *
add_party(struct render_parties *out, enum render_role role)
{
	struct render_party *p = &out->list[out->n++];

	*p = (struct render_party){ .role = role, .words = out->words };
	return p;
}

/* The other side of what the network itself says, so that it is found. */
static void
add_concerned(const struct render *r, struct render_scratch *s,
    const struct render_input *in, struct render_parties *out)
{
	const struct item *it = first_item(in);

	if (it->counterpart.number != NULL || it->counterpart.user_id != NULL)
		find_customer(r, s, in, add_party(out, RENDER_CC));
	if (it->group_id != NULL)
		find_group(r, s, in, add_party(out, RENDER_CC));
}

void
render_parties_find(const struct render *r, struct render_scratch *s,
    const struct render_input *in, const struct render_words *words,
    struct render_parties *out)
{
	const struct item *it = first_item(in);

	out->n = 0;
	out->words = words;
	if (it->author == ITEM_NETWORK || it->kind == ITEM_ACCOUNT) {
		find_network(r, s, add_party(out, RENDER_FROM));
		find_business(r, s, in, add_party(out, RENDER_TO));
		add_concerned(r, s, in, out);
	} else if (it->direction == ITEM_SENT) {
		find_business(r, s, in, add_party(out, RENDER_FROM));
		if (it->group_id != NULL)
			find_group(r, s, in, add_party(out, RENDER_TO));
		else
			find_customer(r, s, in, add_party(out, RENDER_TO));
	} else {
		find_customer(r, s, in, add_party(out, RENDER_FROM));
		find_business(r, s, in, add_party(out, RENDER_TO));
		if (it->group_id != NULL)
			find_group(r, s, in, add_party(out, RENDER_CC));
	}
}

const char *
render_display_name(struct render_scratch *s, const struct render_party *p)
{
	return p->is_chat ? render_strings(s, p->name, " (WhatsApp)", NULL) :
	    p->name;
}

/* A label of a domain name: letters, digits and inner hyphens. */
static char *
domain_label(struct render_scratch *s, const char *desk)
{
	char *out = render_keep(s, g_ascii_strdown(desk, -1));
	size_t len;

	for (char *p = out; *p != '\0'; p++) {
		if (!g_ascii_isalnum(*p))
			*p = '-';
	}
	len = strlen(out);
	while (len > 0 && out[len - 1] == '-')
		out[--len] = '\0';
	return out + strspn(out, "-");
}

const char *
render_list_id(const struct render *r, struct render_scratch *s,
    const struct render_input *in)
{
	const char *number = business_number(s, in);
	const char *id = business_id(s, in);
	const char *label = "";

	if (in->business != NULL && in->business->desk != NULL)
		label = domain_label(s, in->business->desk);
	if (*label == '\0' && number != NULL)
		label = render_strings(s, "wa-", number, NULL);
	if (*label == '\0' && id != NULL)
		label = domain_label(s, id);
	if (*label == '\0')
		return NULL;
	return render_format(s, "%.60s.%s", label, r->address_domain);
}
