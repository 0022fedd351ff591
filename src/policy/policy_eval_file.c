/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on files: any file of the item that fits is enough. What is not
 * known of a file yet is unsure.
 */
#include "policy_eval.h"

#include <inttypes.h>
#include <string.h>

#include "item.h"
#include "text.h"

#define NAME_CHARS 255

/* What is known of the i-th file: from the role, else from the event. */
static bool
get_file(const struct policy_input *in, guint i, struct policy_file *out)
{
	const GPtrArray *media = in->item->media;
	const struct item_media *m;

	if (in->files != NULL) {
		if (i >= in->files->len)
			return false;
		*out = *(const struct policy_file *)
		    g_ptr_array_index(in->files, i);
		return true;
	}
	if (media == NULL || i >= media->len)
		return false;
	m = g_ptr_array_index(media, i);
	*out = (struct policy_file){ .name = m->filename,
		.type = m->mime_type, .size = -1,
		.malware = POLICY_MALWARE_UNKNOWN };
	return true;
}

typedef enum policy_truth file_fn(const struct policy_file *f,
    const struct policy_node *n, GPtrArray *why);

/* What is not known of one file says nothing where another one fits. */
static enum policy_truth
any_file(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why, file_fn *fits)
{
	enum policy_truth t = POLICY_NO;
	struct policy_file f;

	for (guint i = 0; get_file(c->in, i, &f) && t != POLICY_YES; i++)
		t = MAX(t, fits(&f, n, NULL));
	for (guint i = 0; why != NULL && t != POLICY_NO &&
	    get_file(c->in, i, &f); i++)
		if (fits(&f, n, NULL) == t)
			fits(&f, n, why);
	return t;
}

/* "audio/ogg; codecs=opus" is audio/ogg. */
static enum policy_truth
fits_type(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	g_autofree char *type = f->type != NULL ?
	    g_ascii_strdown(f->type, -1) : NULL;

	if (type == NULL) {
		policy_because(why, "unsure: media-type: not known of a "
		    "file");
		return POLICY_UNSURE;
	}
	type[strcspn(type, "; \t")] = '\0';
	for (guint i = 0; i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), type))
			continue;
		policy_because(why, "media-type %s", policy_value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

enum policy_truth
policy_eval_media_type(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_type);
}

static enum policy_truth
fits_size(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	if (f->size < 0) {
		policy_because(why, "unsure: file-size: not known of a file");
		return POLICY_UNSURE;
	}
	if (f->size <= n->source->number)
		return POLICY_NO;
	policy_because(why, "file-size over %" PRId64, n->source->number);
	return POLICY_YES;
}

enum policy_truth
policy_eval_file_size(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_size);
}

/* As a person's computer takes the name: without what is not seen, and
 * without the dots and blanks at its end. */
static char *
fold_file_name(const char *name)
{
	g_autofree char *line = text_clean(name, strlen(name), TEXT_LINE,
	    NAME_CHARS);
	char *folded = policy_fold(line);
	size_t len = strlen(folded);

	while (len > 0 && (folded[len - 1] == '.' || folded[len - 1] == ' '))
		folded[--len] = '\0';
	return folded;
}

static enum policy_truth
fits_name(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	g_autofree char *name = f->name != NULL ? fold_file_name(f->name) :
	    NULL;

	for (guint i = 0; name != NULL && i < n->words->len; i++) {
		if (!policy_glob(g_ptr_array_index(n->words, i), name))
			continue;
		policy_because(why, "file-name %s", policy_value_at(n, i));
		return POLICY_YES;
	}
	return POLICY_NO;
}

enum policy_truth
policy_eval_file_name(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_name);
}

/*
 * Whether it is clean or infected is not known of what nothing scanned; that
 * nothing scanned it is known, whether a scanner failed or there is none.
 */
static enum policy_truth
fits_malware(const struct policy_file *f, const struct policy_node *n,
    GPtrArray *why)
{
	static const unsigned could_be[] = {
		[POLICY_MALWARE_CLEAN] = 0,
		[POLICY_MALWARE_INFECTED] = 0,
		[POLICY_MALWARE_UNSCANNED] = 1U << POLICY_MALWARE_CLEAN |
		    1U << POLICY_MALWARE_INFECTED,
	};
	enum policy_malware is = f->malware == POLICY_MALWARE_UNKNOWN ?
	    POLICY_MALWARE_UNSCANNED : f->malware;

	if ((n->set >> is & 1) != 0) {
		policy_because(why, "malware %s", policy_word_at(POLICY_MALWARE,
		    (int)is));
		return POLICY_YES;
	}
	if ((n->set & could_be[is]) == 0)
		return POLICY_NO;
	policy_because(why, "unsure: malware: a file was not scanned");
	return POLICY_UNSURE;
}

enum policy_truth
policy_eval_malware(const struct policy_case *c, const struct policy_node *n,
    GPtrArray *why)
{
	return any_file(c, n, why, fits_malware);
}
