/* SPDX-License-Identifier: Apache-2.0 */
/* policy: every match, by what it fits and what it does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "policy_bed.h"

enum want { NO, UNSURE, YES };

#define CARD "4111 1111 1111 1111"
#define LATE "time=2026-02-03T12:00:00Z; now=2026-02-03T13:00:00Z"

static const struct row {
	const char *law, *match, *values;
	int64_t number;
	const char *scene;
	enum want want;
	const char *why;	/* one of the reasons; NULL: not looked at */
} rows[] = {
	{ "direction fits what was received", "direction", "received", 0,
	    "direction=received", YES, "direction received" },
	{ "direction does not fit the other one", "direction", "received", 0,
	    "direction=sent", NO, NULL },
	{ "any value of a match is enough", "direction", "received|sent", 0,
	    "direction=sent", YES, "direction sent" },
	{ "at gateway fits what passes it", "at", "gateway", 0, "at=gateway",
	    YES, "at gateway" },
	{ "at gateway does not fit what was captured", "at", "gateway", 0,
	    "at=capture", NO, NULL },
	{ "at capture fits what was captured", "at", "capture", 0, "", YES,
	    NULL },
	{ "network is by name", "network", "whatsapp", 0, "network=whatsapp",
	    YES, "network whatsapp" },
	{ "another network is not it", "network", "whatsapp", 0,
	    "network=signal", NO, NULL },
	{ "an unknown network is not it", "network", "whatsapp", 0, "", NO,
	    NULL },
	{ "business is by the id of the directory", "business", "1065", 0,
	    "business=1065", YES, "business 1065" },
	{ "business is by number", "business", "551140040001", 0,
	    "number=551140040001", YES, NULL },
	{ "business is by number however it is written", "business",
	    "+55 11 4004-0001", 0, "number=551140040001", NO, NULL },
	{ "business with a plus sign is a number", "business",
	    "+551140040001", 0, "number=551140040001", YES,
	    "business +551140040001" },
	{ "business is by what the event says if nobody knows it",
	    "business", "1065", 0, "event-business=1065", YES, NULL },
	{ "business is by the number that the event says", "business",
	    "551140040001", 0, "event-number=551140040001", YES, NULL },
	{ "another business is not it", "business", "1065", 0,
	    "business=1066; number=1", NO, NULL },
	{ "desk is by name", "desk", "pb|fx", 0, "desk=fx", YES, "desk fx" },
	{ "another desk is not it", "desk", "pb", 0, "desk=fx", NO, NULL },
	{ "no desk is not it", "desk", "pb", 0, "", NO, NULL },
	{ "author is the kind of author", "author", "bot|staff", 0,
	    "author=bot", YES, "author bot" },
	{ "another author is not it", "author", "bot", 0, "author=staff", NO,
	    NULL },
	{ "application is the one that sent it", "application", "crm", 0,
	    "application=crm", YES, "application crm" },
	{ "another application is not it", "application", "crm", 0,
	    "application=erp", NO, NULL },
	{ "employee is by id as the application says", "employee", "e1", 0,
	    "employee=e1", YES, "employee e1" },
	{ "employee is by id as the directory says", "employee", "e1", 0,
	    "staff=e1", YES, NULL },
	{ "what the application says comes before the directory", "employee",
	    "e1", 0, "staff=e1; employee=e2", NO, NULL },
	{ "an employee whom the directory does not name yet is unsure",
	    "employee", "e1", 0, "groups-unknown", UNSURE,
	    "unsure: employee e1: the directory did not answer" },
	{ "an employee who is known is sure while groups are not", "employee",
	    "e1", 0, "staff=e2; groups-unknown", NO, NULL },
	{ "nobody is no employee when the directory has answered", "employee",
	    "e1", 0, "", NO, NULL },
	{ "group is one of the directory file", "group", "Sales", 0,
	    "staff-group=Sales", YES, "group Sales" },
	{ "group is one of LDAP", "group", "Sales", 0, "group=Sales", YES,
	    NULL },
	{ "group is without case", "group", "Vendas Á", 0,
	    "group=vendas á", YES, "group Vendas Á" },
	{ "another group is not it", "group", "Sales", 0,
	    "group=Sales Support", NO, NULL },
	{ "groups that are not known are unsure", "group", "Sales", 0,
	    "groups-unknown", UNSURE,
	    "unsure: group Sales: the directory did not answer" },
	{ "a group of the file is sure while the directory is down", "group",
	    "Sales", 0, "staff-group=Sales; groups-unknown", YES, NULL },
	{ "customer known fits who is listed", "customer", "known", 0,
	    "customer=c1", YES, "customer known" },
	{ "customer unknown does not fit who is listed", "customer",
	    "unknown", 0, "customer=c1", NO, NULL },
	{ "customer unknown fits who is not listed", "customer", "unknown", 0,
	    "", YES, "customer unknown" },
	{ "customer known does not fit who is not listed", "customer",
	    "known", 0, "", NO, NULL },
	{ "customer is by id", "customer", "c1", 0, "customer=c1", YES,
	    "customer c1" },
	{ "another customer is not it", "customer", "c1", 0, "customer=c2",
	    NO, NULL },
	{ "customer-list is a list of the customer", "customer-list", "pep",
	    0, "list=vip; list=pep", YES, "customer-list pep" },
	{ "another list is not it", "customer-list", "pep", 0, "list=vip", NO,
	    NULL },
	{ "who is not listed is on no list", "customer-list", "pep", 0, "",
	    NO, NULL },
	{ "new-counterpart fits who was never seen", "new-counterpart", "", 0,
	    "new", YES, "new-counterpart" },
	{ "new-counterpart does not fit who was", "new-counterpart", "", 0,
	    "", NO, NULL },
	{ "new-counterpart is unsure when nobody knows", "new-counterpart",
	    "", 0, "new-unknown", UNSURE, NULL },
	{ "script fits one letter of it", "script", "cyrillic", 0,
	    "text=hello \xd0\xb4", YES, "script cyrillic" },
	{ "script does not fit other letters", "script", "cyrillic|greek", 0,
	    "text=hello", NO, NULL },
	{ "kind is what happened", "kind", "reaction|edit", 0, "kind=edit",
	    YES, "kind edit" },
	{ "another kind is not it", "kind", "reaction", 0, "kind=message", NO,
	    NULL },
	{ "type is what the content is", "type", "voice|image", 0,
	    "type=image", YES, "type image" },
	{ "another type is not it", "type", "voice", 0, "type=text", NO,
	    NULL },
	{ "template is by name", "template", "welcome", 0,
	    "template=welcome", YES, "template welcome" },
	{ "template is by pattern", "template", "promo_*", 0,
	    "template=promo_may", YES, "template promo_*" },
	{ "another template is not it", "template", "promo_*", 0,
	    "template=a_promo_may", NO, NULL },
	{ "a star is any run, also of nothing", "template", "a*b*c", 0,
	    "template=abbc", YES, NULL },
	{ "a star that took too little takes more", "template", "*ab?c", 0,
	    "template=abxabab\xc3\xa9" "c", YES, NULL },
	{ "a pattern ends where the name does", "template", "a*b", 0,
	    "template=abbc", NO, NULL },
	{ "stars at the end may be nothing", "template", "ab**", 0,
	    "template=ab", YES, NULL },
	{ "a name that ends too early is not it", "template", "ab?", 0,
	    "template=ab", NO, NULL },
	{ "what is no template is not it", "template", "*", 0, "text=a", NO,
	    NULL },
	{ "media-type is by pattern", "media-type", "image/*", 0,
	    "file=a|image/png|1|clean", YES, "media-type image/*" },
	{ "media-type is without case and parameters", "media-type",
	    "audio/ogg", 0, "file=a|Audio/OGG^ codecs=opus|1|clean", YES,
	    NULL },
	{ "any file is enough", "media-type", "image/png", 0,
	    "file=a|text/plain|1|clean;file=a|image/png|1|clean", YES, NULL },
	{ "another type of file is not it", "media-type", "image/*", 0,
	    "file=a|video/mp4|1|clean", NO, NULL },
	{ "a file whose type is not known is unsure", "media-type", "image/*",
	    0, "file=a|-|1|clean", UNSURE, NULL },
	{ "without the file the event's type counts", "media-type",
	    "application/pdf", 0, "media=a.pdf|application/pdf|-", YES, NULL },
	{ "no files are of no type", "media-type", "*", 0, "no-files", NO,
	    NULL },
	{ "file-size is more than the number", "file-size", "", 1000,
	    "file=a|-|1001|clean", YES, "file-size over 1000" },
	{ "file-size of exactly the number is not more", "file-size", "",
	    1000, "file=a|-|1000|clean", NO, NULL },
	{ "a size that is not known is unsure", "file-size", "", 1000,
	    "file=a|-|-|clean", UNSURE, NULL },
	{ "the size of a file that is only announced is unsure", "file-size",
	    "", 1000, "media=a.pdf|application/pdf|-", UNSURE, NULL },
	{ "file-name is by pattern", "file-name", "*.exe", 0,
	    "file=run.exe|-|1|clean", YES, "file-name *.exe" },
	{ "file-name is without case", "file-name", "*.EXE", 0,
	    "file=Run.eXe|-|1|clean", YES, NULL },
	{ "file-name is without blanks and dots at its end", "file-name",
	    "*.exe", 0, "file=run.exe. .|-|1|clean", YES, NULL },
	{ "file-name is without what is not seen", "file-name", "*.exe", 0,
	    "file=run.\xe2\x80\xae" "exe|-|1|clean", YES, NULL },
	{ "file-name is without width", "file-name", "*.exe", 0,
	    "file=run.\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85|-|1|clean", YES,
	    NULL },
	{ "another name is not it", "file-name", "*.exe", 0,
	    "file=run.exe.txt|-|1|clean", NO, NULL },
	{ "no name is not it", "file-name", "*", 0, "file=-|-|1|clean", NO,
	    NULL },
	{ "text-size is more characters than the number", "text-size", "", 3,
	    "text=\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", YES,
	    "text-size over 3" },
	{ "text-size of exactly the number is not more", "text-size", "", 4,
	    "text=\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", NO, NULL },
	{ "link-host fits the host itself", "link-host", "t.me", 0,
	    "text=see https://t.me/x", YES, "link-host t.me" },
	{ "link-host fits what is below it", "link-host", "Example.com", 0,
	    "text=www.example.com/a", YES, "link-host Example.com" },
	{ "link-host does not fit another host", "link-host", "t.me", 0,
	    "text=https://not.example", NO, NULL },
	{ "link-host with a star fits any link", "link-host", "*", 0,
	    "text=https://not.example", YES, "link-host *" },
	{ "link-host with a star needs a link", "link-host", "*", 0,
	    "text=nothing", NO, NULL },
	{ "time fits within the window", "time", "office", 0,
	    "time=2026-02-03T12:00:00Z", YES, "time office" },
	{ "any window is enough", "time", "office|weekend", 0,
	    "time=2026-02-07T12:00:00Z", YES, "time weekend" },
	{ "time does not fit outside of it", "time", "office", 0,
	    "time=2026-02-03T19:00:00Z", NO, NULL },
	{ "an event without a time is of now", "time", "office", 0,
	    "now=2026-02-03T12:00:00Z", YES, NULL },
	{ "age is more than the number when judged", "age", "", 3599999, LATE,
	    YES, "age over 3599999 ms" },
	{ "age of exactly the number is not more", "age", "", 3600000, LATE,
	    NO, NULL },
	{ "an event without a time has no sure age", "age", "", 1,
	    "now=2026-02-03T12:00:00Z", UNSURE, NULL },
	{ "what passes the gateway has no age", "age", "", 0,
	    "at=gateway; now=2026-02-03T12:00:00Z", NO, NULL },
	{ "lexicon fits a phrase of it", "lexicon", "lures", 0,
	    "text=Let us move to telegram now", YES,
	    "lexicon lures: lures.txt:2 at 7-23" },
	{ "lexicon fits whole words only", "lexicon", "lures", 0,
	    "text=move to telegrams", NO, NULL },
	{ "lexicon fits a category of it", "lexicon", "lures/secret", 0,
	    "text=Delete THIS, please", YES, NULL },
	{ "lexicon does not fit another category", "lexicon", "lures/secret",
	    0, "text=move to telegram", NO, NULL },
	{ "weights that sum up to the number fit", "lexicon", "lures", 8,
	    "text=move to telegram, delete this", YES, NULL },
	{ "weights that sum up to less do not", "lexicon", "lures", 9,
	    "text=move to telegram, delete this", NO, NULL },
	{ "weights of several parts sum up", "lexicon", "lures", 8,
	    "text=move to telegram; footer=delete this", YES,
	    "lexicon lures: lures.txt:4 in footer at 0-11" },
	{ "pattern fits where it is in the text", "pattern", "account", 0,
	    "text=it is 12345-6.", YES, "pattern account at 6-13" },
	{ "pattern does not fit what is not there", "pattern", "account", 0,
	    "text=it is 1234-6.", NO, NULL },
	{ "pattern fits a caption", "pattern", "account", 0,
	    "media=-|image/png|12345-6", YES,
	    "pattern account in caption at 0-7" },
	{ "text fits these very words", "text", "call me|ring me", 0,
	    "text=Please RING me", YES, "text p:2 at 7-14" },
	{ "text does not fit other words", "text", "call me", 0,
	    "text=call us", NO, NULL },
	{ "detect fits what it detects", "detect", "card|iban", 0,
	    "text=it is " CARD, YES, "detect card at 6-25" },
	{ "detect does not fit what fails its check", "detect", "card", 0,
	    "text=it is 4111 1111 1111 1112", NO, NULL },
	{ "detect does not fit what another detector does", "detect", "iban",
	    0, "text=it is " CARD, NO, NULL },
	{ "malware infected fits an infected file", "malware", "infected", 0,
	    "file=a|-|1|clean;file=b|-|1|infected", YES, "malware infected" },
	{ "malware infected does not fit a clean file", "malware",
	    "infected", 0, "file=a|-|1|clean", NO, NULL },
	{ "malware infected is unsure of what nothing scanned", "malware",
	    "infected", 0, "file=a|-|1|unscanned", UNSURE,
	    "unsure: malware: a file was not scanned" },
	{ "malware infected fits an infected file beside an unscanned one",
	    "malware", "infected", 0,
	    "file=a|-|1|unscanned;file=b|-|1|infected;file=c|-|1|-", YES,
	    "malware infected" },
	{ "malware unscanned fits one of several files", "malware",
	    "unscanned", 0,
	    "file=a|-|1|infected;file=b|-|1|clean;file=c|-|1|unscanned", YES,
	    "malware unscanned" },
	{ "malware unscanned fits a file that is not there yet", "malware",
	    "unscanned", 0, "file=a|-|1|infected;file=b|-|1|-", YES,
	    "malware unscanned" },
	{ "malware unscanned does not fit what was scanned", "malware",
	    "unscanned", 0, "file=a|-|1|infected;file=b|-|1|clean", NO,
	    NULL },
	{ "malware unscanned fits what nothing scanned", "malware",
	    "unscanned", 0, "file=a|-|1|unscanned", YES,
	    "malware unscanned" },
	{ "malware clean does not fit an infected file", "malware", "clean",
	    0, "file=a|-|1|infected", NO, NULL },
	{ "malware clean is unsure of what is not known yet", "malware",
	    "clean", 0, "file=a|-|1|-", UNSURE, NULL },
	{ "no files have no malware", "malware",
	    "infected|clean|unscanned", 0, "text=a", NO, NULL },
	{ "consent given fits what was given", "consent", "given", 0,
	    "consent=given", YES, "consent given" },
	{ "consent withdrawn does not fit what was given", "consent",
	    "withdrawn", 0, "consent=given", NO, NULL },
	{ "consent unknown fits what nobody said", "consent", "unknown", 0,
	    "", YES, "consent unknown" },
	{ "always fits", "always", "", 0, "", YES, "always" },
};

static void
fill(struct policy_bed *b)
{
	const struct policy_span office = { 0x1f, 8 * 60, 18 * 60 };
	const struct policy_span weekend = { 0x60, 0, 1440 };

	policy_bed_lexicon(b, "lures", "lures.txt", "[category channel]\n"
	    "move to telegram = 5\n[category secret]\ndelete this = 3\n");
	policy_bed_pattern(b, "account", "\\b\\d{5}-\\d\\b");
	policy_bed_window(b, "office", "UTC", &office);
	policy_bed_window(b, "weekend", "UTC", &weekend);
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	struct policy_bed b;
	struct policy_rule *r;
	struct policy_verdict *v;
	struct policy_fired *f;

	policy_bed_init(&b);
	fill(&b);
	r = policy_bed_rule(&b, "r", policy_bed_cond(row->match, row->values,
	    row->number));
	policy_bed_act(r, "flag", "", NULL);
	v = policy_bed_judge(&b, row->scene);
	f = policy_bed_fired(v, "r");
	assert_int_equal(f != NULL, row->want != NO);
	assert_int_equal(v->flag, row->want != NO);
	if (f != NULL) {
		g_autofree char *why = NULL;

		g_ptr_array_add(f->why, NULL);
		why = g_strjoinv(" & ", (char **)f->why->pdata);
		g_ptr_array_set_size(f->why, (int)f->why->len - 1);
		assert_int_equal(f->is_unsure, row->want == UNSURE);
		if (row->why != NULL && strstr(why, row->why) == NULL)
			assert_string_equal(why, row->why);
	}
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

/* ---- what a match looks at ---------------------------------------------------------- */

static void
every_match_has_a_scenario_that_fits_and_one_that_does_not(void **state)
{
	(void)state;
	for (int m = 0; m < POLICY_ALWAYS; m++) {
		const char *name = policy_match_name((enum policy_match)m);
		bool fits = false, does_not = false;

		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			if (strcmp(rows[i].match, name) != 0)
				continue;
			fits = fits || rows[i].want == YES;
			does_not = does_not || rows[i].want == NO;
		}
		if (!fits || !does_not)
			fail_msg("%s", name);
	}
}

static void
every_text_that_a_person_reads_is_looked_at(void **state)
{
	static const char *const keys[] = { "text", "header", "footer",
		"button", "answer", "extra", "reply-title",
		"reply-description", "reply-body", "location-name",
		"location-address", "location-url", "card-name", "card-line",
		"order" };

	(void)state;
	for (size_t i = 0; i <= G_N_ELEMENTS(keys) + 2; i++) {
		g_autofree char *scene = i < G_N_ELEMENTS(keys) ?
		    g_strdup_printf("%s=12345-6", keys[i]) :
		    g_strdup(i == G_N_ELEMENTS(keys) ? "media=-|-|12345-6" :
		    i == G_N_ELEMENTS(keys) + 1 ? "media=12345-6.pdf|-|-" :
		    "file=12345-6.pdf|-|1|clean");
		struct policy_bed b;
		struct policy_verdict *v;

		policy_bed_init(&b);
		fill(&b);
		policy_bed_act(policy_bed_rule(&b, "r",
		    policy_bed_cond("pattern", "account", 0)), "flag", "",
		    NULL);
		v = policy_bed_judge(&b, scene);
		if (!v->flag)
			fail_msg("not looked at: %s", scene);
		policy_verdict_free(v);
		policy_bed_clear(&b);
	}
}

static void
a_caption_that_is_the_body_too_counts_once(void **state)
{
	struct policy_bed b;
	struct policy_verdict *v;

	(void)state;
	policy_bed_init(&b);
	fill(&b);
	policy_bed_act(policy_bed_rule(&b, "r",
	    policy_bed_cond("lexicon", "lures", 6)), "flag", "", NULL);
	v = policy_bed_judge(&b, "text=move to telegram; "
	    "media=a.png|image/png|move to telegram; "
	    "file=a.png|image/png|1|clean");
	assert_false(v->flag);
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
a_phrase_does_not_begin_in_one_part_and_end_in_another(void **state)
{
	struct policy_bed b;
	struct policy_verdict *v;

	(void)state;
	policy_bed_init(&b);
	fill(&b);
	policy_bed_act(policy_bed_rule(&b, "r",
	    policy_bed_cond("lexicon", "lures", 0)), "flag", "", NULL);
	v = policy_bed_judge(&b, "text=move to; footer=telegram");
	assert_false(v->flag);
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
reasons_say_where_but_never_what(void **state)
{
	struct policy_bed b;
	struct policy_verdict *v;
	g_autoptr(GString) json = g_string_new(NULL);

	(void)state;
	policy_bed_init(&b);
	fill(&b);
	policy_bed_rule(&b, "a", policy_bed_cond("detect", "card", 0));
	policy_bed_rule(&b, "b", policy_bed_cond("pattern", "account", 0));
	policy_bed_rule(&b, "c", policy_bed_cond("lexicon", "lures", 0));
	policy_bed_rule(&b, "d", policy_bed_cond("link-host", "*", 0));
	policy_bed_rule(&b, "e", policy_bed_cond("file-name", "*", 0));
	v = policy_bed_judge(&b, "text=" CARD " 12345-6 move to telegram "
	    "https://host.example/; file=statement.pdf|-|1|clean");
	assert_int_equal(v->fired->len, 5);
	policy_verdict_print(v, json);
	assert_null(strstr(json->str, "4111"));
	assert_null(strstr(json->str, "12345"));
	assert_null(strstr(json->str, "telegram"));
	assert_null(strstr(json->str, "host.example"));
	assert_null(strstr(json->str, "statement"));
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
reasons_do_not_grow_with_the_text(void **state)
{
	g_autoptr(GString) scene = g_string_new("text=");
	struct policy_bed b;
	struct policy_verdict *v;
	struct policy_fired *f;

	(void)state;
	for (int i = 0; i < 500; i++)
		g_string_append(scene, "delete this, ");
	policy_bed_init(&b);
	fill(&b);
	policy_bed_rule(&b, "r", policy_bed_cond("lexicon", "lures", 0));
	v = policy_bed_judge(&b, scene->str);
	f = policy_bed_fired(v, "r");
	assert_true(f->why->len > 1 && f->why->len <= 33);
	assert_string_equal(g_ptr_array_index(f->why, f->why->len - 1),
	    "more");
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
weights_sum_up_however_many_hits_there_are(void **state)
{
	g_autoptr(GString) scene = g_string_new("text=");
	struct policy_bed b;
	struct policy_verdict *v;

	(void)state;
	for (int i = 0; i < 1500; i++)
		g_string_append(scene, "delete this, ");
	policy_bed_init(&b);
	fill(&b);
	policy_bed_rule(&b, "all", policy_bed_cond("lexicon", "lures",
	    1500 * 3));
	policy_bed_rule(&b, "more", policy_bed_cond("lexicon", "lures",
	    1500 * 3 + 1));
	policy_bed_rule(&b, "none", policy_bed_cond("lexicon",
	    "lures/channel", 0));
	v = policy_bed_judge(&b, scene->str);
	assert_non_null(policy_bed_fired(v, "all"));
	assert_null(policy_bed_fired(v, "more"));
	assert_null(policy_bed_fired(v, "none"));
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
a_pattern_that_meets_its_limit_is_unsure(void **state)
{
	g_autofree char *as = g_strnfill(40, 'a');
	g_autofree char *scene = g_strdup_printf("text=%s!", as);
	struct policy_bed b;
	struct policy_verdict *v;
	struct policy_fired *f;

	(void)state;
	policy_bed_init(&b);
	policy_bed_pattern(&b, "slow", "^(a|aa|a*)*$");
	policy_bed_pattern(&b, "quick", "b");
	policy_bed_act(policy_bed_rule(&b, "r",
	    policy_bed_cond("pattern", "slow", 0)), "flag", "", NULL);
	policy_bed_rule(&b, "other", policy_bed_cond("pattern", "quick", 0));
	v = policy_bed_judge(&b, scene);
	f = policy_bed_fired(v, "r");
	assert_non_null(f);
	assert_true(f->is_unsure);
	assert_true(v->flag);
	assert_null(policy_bed_fired(v, "other"));
	assert_string_equal(g_ptr_array_index(f->why, 0),
	    "unsure: pattern slow met its limit");
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
texts_are_not_read_before_a_rule_asks_for_them(void **state)
{
	struct policy_bed b;
	struct policy_rule *r;
	struct policy_verdict *v;
	struct policy_cond *all = policy_bed_group("all",
	    policy_bed_cond("pattern", "account", 0),
	    policy_bed_cond("direction", "sent", 0), NULL);

	(void)state;
	policy_bed_init(&b);
	fill(&b);
	r = policy_bed_rule(&b, "r", all);
	policy_bed_act(r, "flag", "", NULL);
	/* The cheap condition is asked first wherever it is written. */
	v = policy_bed_judge(&b, "direction=received; text=12345-6");
	assert_false(v->flag);
	policy_verdict_free(v);
	v = policy_bed_judge(&b, "direction=sent; text=12345-6");
	assert_true(v->flag);
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

/* ---- three values --------------------------------------------------------------- */

/* A condition that is surely not so, not known, so. */
static struct policy_cond *
cond_of(enum want t)
{
	return t == UNSURE ? policy_bed_cond("group", "Sales", 0) :
	    policy_bed_cond("direction", t == YES ? "sent" : "received", 0);
}

static enum want
truth_of(struct policy_cond *cond)
{
	struct policy_bed b;
	struct policy_verdict *v;
	struct policy_fired *f;
	enum want t;

	policy_bed_init(&b);
	policy_bed_rule(&b, "r", cond);
	v = policy_bed_judge(&b, "direction=sent; groups-unknown");
	f = policy_bed_fired(v, "r");
	t = f == NULL ? NO : f->is_unsure ? UNSURE : YES;
	policy_verdict_free(v);
	policy_bed_clear(&b);
	return t;
}

static void
all_is_the_least_of_its_parts(void **state)
{
	(void)state;
	for (int i = 0; i < 27; i++) {
		enum want a = (enum want)(i % 3), b = (enum want)(i / 3 % 3),
		    c = (enum want)(i / 9);

		assert_int_equal(truth_of(policy_bed_group("all", cond_of(a),
		    cond_of(b), cond_of(c))), MIN(a, MIN(b, c)));
	}
}

static void
any_is_the_greatest_of_its_parts(void **state)
{
	(void)state;
	for (int i = 0; i < 27; i++) {
		enum want a = (enum want)(i % 3), b = (enum want)(i / 3 % 3),
		    c = (enum want)(i / 9);

		assert_int_equal(truth_of(policy_bed_group("any", cond_of(a),
		    cond_of(b), cond_of(c))), MAX(a, MAX(b, c)));
	}
}

static void
not_is_the_mirror_and_not_unsure_is_unsure(void **state)
{
	(void)state;
	assert_int_equal(truth_of(policy_bed_group("not", cond_of(NO), NULL,
	    NULL)), YES);
	assert_int_equal(truth_of(policy_bed_group("not", cond_of(UNSURE),
	    NULL, NULL)), UNSURE);
	assert_int_equal(truth_of(policy_bed_group("not", cond_of(YES), NULL,
	    NULL)), NO);
}

static void
not_any_is_all_not(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		enum want a = (enum want)(i % 3), b = (enum want)(i / 3);

		assert_int_equal(
		    truth_of(policy_bed_group("not", policy_bed_group("any",
		    cond_of(a), cond_of(b), NULL), NULL, NULL)),
		    truth_of(policy_bed_group("all", policy_bed_group("not",
		    cond_of(a), NULL, NULL), policy_bed_group("not",
		    cond_of(b), NULL, NULL), NULL)));
	}
}

static void
the_reason_of_a_not_is_what_did_not_hold(void **state)
{
	struct policy_bed b;
	struct policy_verdict *v;

	(void)state;
	policy_bed_init(&b);
	policy_bed_rule(&b, "r", policy_bed_group("not",
	    policy_bed_group("any", policy_bed_cond("desk", "pb|fx", 0),
	    policy_bed_cond("text-size", "", 20), NULL), NULL, NULL));
	v = policy_bed_judge(&b, "desk=retail");
	assert_string_equal(g_ptr_array_index(
	    policy_bed_fired(v, "r")->why, 0),
	    "not any { desk pb fx; text-size over 20 }");
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

static void
every_part_of_an_any_that_holds_is_a_reason(void **state)
{
	struct policy_bed b;
	struct policy_verdict *v;
	struct policy_fired *f;

	(void)state;
	policy_bed_init(&b);
	policy_bed_rule(&b, "r", policy_bed_group("any",
	    policy_bed_cond("desk", "pb", 0),
	    policy_bed_cond("detect", "email", 0),
	    policy_bed_cond("group", "Sales", 0)));
	v = policy_bed_judge(&b, "desk=pb; text=a@bank.example; "
	    "groups-unknown");
	f = policy_bed_fired(v, "r");
	assert_false(f->is_unsure);
	assert_int_equal(f->why->len, 3);
	assert_true(policy_bed_has(f->why, "desk pb"));
	assert_true(policy_bed_has(f->why, "detect email at 0-14"));
	policy_verdict_free(v);
	policy_bed_clear(&b);
}

/* ---- windows --------------------------------------------------------------------- */

struct hour {
	const char *time;
	bool within;
};

static void
check_hours(const char *zone, const char *desk_zone,
    const struct policy_span *span, const char *holiday,
    const struct hour *hours)
{
	struct policy_bed b;

	policy_bed_init(&b);
	policy_bed_window(&b, "w", zone, span);
	if (holiday != NULL) {
		struct policy_window *w =
		    g_ptr_array_index(b.source->windows, 0);

		g_ptr_array_add(w->holidays, g_strdup(holiday));
	}
	policy_bed_rule(&b, "r", policy_bed_cond("time", "w", 0));
	for (; hours->time != NULL; hours++) {
		g_autofree char *scene = g_strdup_printf("time=%s%s%s",
		    hours->time, desk_zone != NULL ? "; zone=" : "",
		    desk_zone != NULL ? desk_zone : "");
		struct policy_verdict *v = policy_bed_judge(&b, scene);

		if ((v->fired->len == 1) != hours->within)
			fail_msg("%s is %s", hours->time,
			    hours->within ? "not within" : "within");
		policy_verdict_free(v);
	}
	policy_bed_clear(&b);
}

static void
a_window_begins_with_its_first_minute_and_ends_before_its_last(void **state)
{
	const struct policy_span span = { 0x1f, 480, 1080 };
	const struct hour hours[] = {
		{ "2026-02-02T07:59:59Z", false },
		{ "2026-02-02T08:00:00Z", true },
		{ "2026-02-06T17:59:59Z", true },
		{ "2026-02-06T18:00:00Z", false },
		{ "2026-02-07T12:00:00Z", false },
		{ NULL, false },
	};

	(void)state;
	check_hours("UTC", NULL, &span, NULL, hours);
	check_hours(NULL, NULL, &span, NULL, hours);
}

static void
a_window_over_midnight_belongs_to_the_day_it_begins_on(void **state)
{
	/* Friday 22:00 to Saturday 06:00. */
	const struct policy_span span = { 0x10, 22 * 60, 6 * 60 };
	const struct hour hours[] = {
		{ "2026-02-06T05:00:00Z", false },
		{ "2026-02-06T21:59:00Z", false },
		{ "2026-02-06T22:00:00Z", true },
		{ "2026-02-07T05:59:59Z", true },
		{ "2026-02-07T06:00:00Z", false },
		{ "2026-02-07T22:30:00Z", false },
		{ NULL, false },
	};

	(void)state;
	check_hours("UTC", NULL, &span, NULL, hours);
}

static void
a_window_over_midnight_on_sunday_goes_on_on_monday(void **state)
{
	const struct policy_span span = { 0x40, 22 * 60, 6 * 60 };
	const struct hour hours[] = {
		{ "2026-02-08T23:00:00Z", true },
		{ "2026-02-09T05:00:00Z", true },
		{ "2026-02-09T06:00:00Z", false },
		{ "2026-02-08T05:00:00Z", false },
		{ NULL, false },
	};

	(void)state;
	check_hours("UTC", NULL, &span, NULL, hours);
}

static void
a_whole_day_ends_at_midnight(void **state)
{
	const struct policy_span span = { 0x01, 0, 1440 };
	const struct hour hours[] = {
		{ "2026-02-01T23:59:59Z", false },
		{ "2026-02-02T00:00:00Z", true },
		{ "2026-02-02T23:59:59Z", true },
		{ "2026-02-03T00:00:00Z", false },
		{ NULL, false },
	};

	(void)state;
	check_hours("UTC", NULL, &span, NULL, hours);
}

static void
hours_follow_the_clocks_when_these_are_changed(void **state)
{
	const struct policy_span span = { 0x7f, 480, 1080 };
	const struct hour hours[] = {
		/* The last Saturday of winter, the first Sunday of summer. */
		{ "2026-03-28T07:59:00Z", false },
		{ "2026-03-28T08:00:00Z", true },
		{ "2026-03-29T06:59:00Z", false },
		{ "2026-03-29T07:00:00Z", true },
		{ "2026-03-29T17:00:00Z", false },
		/* And back. */
		{ "2026-10-24T07:00:00Z", true },
		{ "2026-10-25T07:59:00Z", false },
		{ "2026-10-25T17:59:00Z", true },
		{ NULL, false },
	};

	(void)state;
	check_hours("Europe/London", NULL, &span, NULL, hours);
}

static void
a_window_without_a_zone_is_in_that_of_the_desk(void **state)
{
	const struct policy_span span = { 0x1f, 480, 1080 };
	const struct hour hours[] = {
		{ "2026-02-02T10:59:00Z", false },
		{ "2026-02-02T11:00:00Z", true },
		{ "2026-02-02T20:59:00Z", true },
		{ "2026-02-02T21:00:00Z", false },
		{ NULL, false },
	};

	(void)state;
	check_hours(NULL, "America/Sao_Paulo", &span, NULL, hours);
}

static void
a_holiday_is_a_local_date_and_without_the_window(void **state)
{
	const struct policy_span span = { 0x7f, 0, 1440 };
	const struct hour once[] = {
		{ "2026-04-03T02:59:00Z", true },
		{ "2026-04-03T03:00:00Z", false },
		{ "2026-04-04T02:59:00Z", false },
		{ "2026-04-04T03:00:00Z", true },
		{ "2027-04-03T12:00:00Z", true },
		{ NULL, false },
	};
	const struct hour each_year[] = {
		{ "2026-12-25T12:00:00Z", false },
		{ "2031-12-25T12:00:00Z", false },
		{ "2026-12-26T12:00:00Z", true },
		{ NULL, false },
	};

	(void)state;
	check_hours("America/Sao_Paulo", NULL, &span, "2026-04-03", once);
	check_hours("America/Sao_Paulo", NULL, &span, "12-25", each_year);
}

int
main(void)
{
	const struct CMUnitTest laws[] = {
		cmocka_unit_test(
		    every_match_has_a_scenario_that_fits_and_one_that_does_not),
		cmocka_unit_test(every_text_that_a_person_reads_is_looked_at),
		cmocka_unit_test(a_caption_that_is_the_body_too_counts_once),
		cmocka_unit_test(
		    a_phrase_does_not_begin_in_one_part_and_end_in_another),
		cmocka_unit_test(reasons_say_where_but_never_what),
		cmocka_unit_test(reasons_do_not_grow_with_the_text),
		cmocka_unit_test(weights_sum_up_however_many_hits_there_are),
		cmocka_unit_test(a_pattern_that_meets_its_limit_is_unsure),
		cmocka_unit_test(texts_are_not_read_before_a_rule_asks_for_them),
		cmocka_unit_test(all_is_the_least_of_its_parts),
		cmocka_unit_test(any_is_the_greatest_of_its_parts),
		cmocka_unit_test(not_is_the_mirror_and_not_unsure_is_unsure),
		cmocka_unit_test(not_any_is_all_not),
		cmocka_unit_test(the_reason_of_a_not_is_what_did_not_hold),
		cmocka_unit_test(every_part_of_an_any_that_holds_is_a_reason),
		cmocka_unit_test(
		    a_window_begins_with_its_first_minute_and_ends_before_its_last),
		cmocka_unit_test(
		    a_window_over_midnight_belongs_to_the_day_it_begins_on),
		cmocka_unit_test(
		    a_window_over_midnight_on_sunday_goes_on_on_monday),
		cmocka_unit_test(a_whole_day_ends_at_midnight),
		cmocka_unit_test(hours_follow_the_clocks_when_these_are_changed),
		cmocka_unit_test(a_window_without_a_zone_is_in_that_of_the_desk),
		cmocka_unit_test(
		    a_holiday_is_a_local_date_and_without_the_window),
	};
	const size_t n = G_N_ELEMENTS(rows);
	g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest,
	    n + G_N_ELEMENTS(laws));

	memcpy(tests, laws, sizeof(laws));
	for (size_t i = 0; i < n; i++) {
		tests[G_N_ELEMENTS(laws) + i] = (struct CMUnitTest){
			.name = rows[i].law, .test_func = check_row,
			.initial_state = (void *)(uintptr_t)&rows[i] };
	}
	return _cmocka_run_group_tests("policy match", tests,
	    n + G_N_ELEMENTS(laws), NULL, NULL);
}
