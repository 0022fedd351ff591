/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What 10,000 phrases and 50 patterns cost for a message of about 320 bytes,
 * in microseconds of CPU time; English, Portuguese, Russian and mixed. Beside
 * it, as the measure of the machine, 500 of the phrases as one alternation of
 * PCRE2. One line of key=value pairs for each language.
 *
 *     bench_scan [COUNT]
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <glib.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "err.h"
#include "scan.h"

#define PHRASES 10000
#define REFERENCE 500
#define PATTERNS 50

static const struct {
	const char *name, *text;
} messages[] = {
	{ "en", "Good morning Ana, could you please confirm the transfer we "
	    "discussed yesterday? The amount is 12,500 and it should leave the "
	    "main account before noon. I will send the signed form in an hour; "
	    "call me if anything is missing. Also the statement for March is "
	    "not in the portal yet, can you look into that. Thanks, Paul." },
	{ "pt", "Bom dia, Ana. Você pode confirmar a transferência de ontem? O "
	    "valor é de R$ 12.500,00 e precisa sair da conta principal antes do "
	    "meio-dia. Envio o formulário assinado em uma hora; se faltar "
	    "alguma informação, é só me avisar. O extrato de março também não "
	    "apareceu no portal, pode verificar? Obrigado, João." },
	{ "ru", "Доброе утро, Анна! Подтвердите, пожалуйста, вчерашний перевод: "
	    "12 500 рублей до полудня с основного счёта. Подписанную форму "
	    "пришлю через час, если чего-то не хватает, позвоните. Выписки за "
	    "март всё ещё нет." },
	{ "mixed", "Доброе утро! Отчёт в WhatsApp не открывается, пришлите "
	    "PDF или Excel на почту, please. Перевод 12 500 USD по SWIFT "
	    "сделаем до полудня, form signed. Спасибо, Paul & Анна. See you "
	    "tomorrow in the office, ok? Call me." },
};

static const char *const stems[] = {
	"confirm", "transfer", "account", "profit", "guarantee", "market",
	"client", "portfolio", "invest", "return", "bonus", "price", "broker",
	"secret", "advance", "garantia", "lucro", "cliente", "carteira",
	"retorno", "investimento", "conta", "preço", "segredo", "informação",
	"перевод", "счёт", "прибыль", "гарантия", "клиент", "портфель",
	"доход", "рынок", "цена", "секрет", "сделка", "деньги", "акция",
};
static const char *const common[] = { "the", "in", "for", "de", "não", "em",
	"se", "на", "до", "не", "и", "your", "can", "please", "me" };

static const char *const patterns[] = {
	"\\b\\d{5}-\\d\\b", "\\baccount\\s+(?:no|number)\\b",
	"\\b[A-Z]{2}\\d{6}\\b", "guarantee[ds]?\\s+returns?",
	"(?<!\\d)\\d{8}(?!\\d)", "\\w+@\\w+\\.ru", "https?://\\S+\\.xyz",
	"\\bперевод\\w*\\s+на\\s+карту", "\\bag(?:ê|e)ncia\\s*\\d{4}\\b",
	"\\bPIX\\b", "(?:whats|tele)app", "\\bISIN\\s*[A-Z]{2}\\w{9}\\d\\b",
};

/* Words of one to three, of which a message has some. */
static void
add_phrase(GString *out, unsigned i)
{
	unsigned s = i % G_N_ELEMENTS(stems), c = i / 7 % G_N_ELEMENTS(common);

	g_string_append(out, stems[s]);
	if (i % 3 > 0)
		g_string_append_printf(out, " %s", common[c]);
	if (i >= 40)
		g_string_append_printf(out, " %s%u",
		    stems[(i / 11) % G_N_ELEMENTS(stems)], i / 3);
}

static void
fail(const char *what)
{
	fprintf(stderr, "bench_scan: %s\n", what);
	exit(1);
}

static struct scan_set *
make_set(bool with_patterns)
{
	struct scan_set *set = scan_set_new();
	g_autoptr(GString) lines = g_string_new(NULL);
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < PHRASES; i++) {
		add_phrase(lines, i);
		g_string_append_c(lines, '\n');
	}
	if (!scan_set_lexicon(set, "bench", "bench", lines->str, lines->len,
	    NULL, NULL, &err))
		fail(err.text);
	for (unsigned i = 0; with_patterns && i < PATTERNS; i++) {
		/* Each its own, though of a dozen kinds. */
		g_autofree char *regex = g_strdup_printf("%s(?!%u)",
		    patterns[i % G_N_ELEMENTS(patterns)], i);

		if (!scan_set_pattern(set, "p", regex, &err))
			fail(err.text);
	}
	if (!scan_set_seal(set, &err))
		fail(err.text);
	return set;
}

/* Of this process: other work on the machine does not count. */
static double
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double
time_scan(const struct scan_set *set, const char *text, long count)
{
	struct scan_work *work = scan_work_new();
	size_t len = strlen(text);
	double start = cpu_us();

	for (long i = 0; i < count; i++) {
		struct scan_result r;

		scan_result_init(&r);
		scan_run(set, work, text, len, &r);
		scan_result_clear(&r);
	}
	scan_work_free(work);
	return (cpu_us() - start) / (double)count;
}

static double
time_detectors(const char *text, long count)
{
	double start = cpu_us();

	for (long i = 0; i < count; i++) {
		struct scan_result r;

		scan_result_init(&r);
		scan_detect(~0u, text, strlen(text), &r);
		scan_result_clear(&r);
	}
	return (cpu_us() - start) / (double)count;
}

static pcre2_code *
make_reference(void)
{
	g_autoptr(GString) regex = g_string_new("(?<!\\w)(?:");
	pcre2_code *code;
	int error;
	size_t at;

	for (unsigned i = 0; i < REFERENCE; i++) {
		if (i > 0)
			g_string_append_c(regex, '|');
		add_phrase(regex, i);
	}
	g_string_append(regex, ")(?!\\w)");
	code = pcre2_compile((PCRE2_SPTR)regex->str, regex->len, PCRE2_UTF |
	    PCRE2_UCP | PCRE2_CASELESS, &error, &at, NULL);
	if (code == NULL)
		fail("the reference cannot be compiled");
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

static double
time_reference(const pcre2_code *code, const char *text, long count)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	double start = cpu_us();

	for (long i = 0; i < count; i++) {
		size_t at = 0;

		while (pcre2_match(code, (PCRE2_SPTR)text, strlen(text), at,
		    PCRE2_NO_UTF_CHECK, data, NULL) > 0)
			at = pcre2_get_ovector_pointer(data)[1];
	}
	pcre2_match_data_free(data);
	return (cpu_us() - start) / (double)count;
}

int
main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
	struct scan_set *phrases = make_set(false), *all = make_set(true);
	pcre2_code *reference = make_reference();

	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		const char *text = messages[i].text;
		double words = time_scan(phrases, text, count);
		double both = time_scan(all, text, count);

		fprintf(stdout, "bench=scan language=%s bytes=%zu phrases=%d "
		    "patterns=%d us=%.1f phrases_us=%.1f detectors_us=%.1f "
		    "pcre2_of_%d_phrases_us=%.1f\n", messages[i].name,
		    strlen(text), PHRASES, PATTERNS, both, words,
		    time_detectors(text, count), REFERENCE,
		    time_reference(reference, text, count));
	}
	pcre2_code_free(reference);
	scan_set_free(phrases);
	scan_set_free(all);
	return 0;
}
