/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mails of a turn: nearly always one, which is drafted, measured against
 * the style's limits, and written. What is too large goes to render_cut.c.
 */
#include "render_int.h"

#include <string.h>

#include "err.h"

#define TEXT_SIZE_GUESS 2048

/* --- drafts --- */

bool
render_draft_begin(struct render_turn *t, struct render_draft *d,
    struct err *err)
{
	const struct render_language *l = t->style->language;

	memset(d, 0, sizeof(*d));
	d->text = g_string_sized_new(TEXT_SIZE_GUESS);
	d->html = g_string_sized_new(2 * TEXT_SIZE_GUESS);
	d->fields = g_string_sized_new(TEXT_SIZE_GUESS);
	return template_render(l->text, &t->view, RENDER_TEXT_MAX, d->text,
	    err) &&
	    template_render(l->html, &t->view, RENDER_TEXT_MAX, d->html, err);
}

void
render_draft_frame(struct render *r, struct render_turn *t,
    const GArray *pieces, struct render_draft *d)
{
	const struct render_body body = { d->fields, d->text, d->html,
		pieces };

	render_headers(r, t, pieces, d->fields);
	render_frame_make(r, t, &body, &d->frame);
	d->frame.is_of_many = t->parts > 0;
}

bool
render_draft_write(struct render *r, const struct render_turn *t,
    const struct render_draft *d, GPtrArray *to, struct err *err)
{
	struct rendered *mail = g_new0(struct rendered, 1);

	g_ptr_array_add(to, mail);
	mail->message_id = g_strdup(t->message_id);
	mail->subject = g_strdup(t->subject);
	return render_frame_write(r, &d->frame, mail, err);
}

void
render_draft_clear(struct render_draft *d)
{
	if (d->frame.bytes != NULL)
		render_frame_clear(&d->frame);
	g_string_free(d->text, TRUE);
	g_string_free(d->html, TRUE);
	g_string_free(d->fields, TRUE);
}

bool
render_fits(const struct render_style *style, int64_t size, int64_t files)
{
	return size <= style->max_bytes - RENDER_ENVELOPE_MAX &&
	    (style->max_files == 0 || files <= style->max_files);
}

/* --- mails --- */

/* *fits is false when nothing was written because of the limits. */
static bool
make_whole(struct render *r, struct render_turn *t, GPtrArray *mails,
    bool *fits, struct err *err)
{
	g_autoptr(GArray) pieces = NULL;
	struct render_draft d;
	bool ok = render_draft_begin(t, &d, err);

	if (ok) {
		pieces = render_pieces(r, t, d.html);
		render_draft_frame(r, t, pieces, &d);
		*fits = render_fits(t->style, d.frame.size, pieces->len);
		ok = !*fits || render_draft_write(r, t, &d, mails, err);
	}
	render_draft_clear(&d);
	return ok;
}

static bool
make_mails(struct render *r, struct render_turn *t, GPtrArray *mails,
    struct err *err)
{
	bool fits = true;

	return make_whole(r, t, mails, &fits, err) &&
	    (fits || render_cut(r, t, mails, err));
}

bool
render_mails(struct render *r, const struct render_style *style,
    const struct render_input *in, GPtrArray **out, struct err *err)
{
	GPtrArray *mails = g_ptr_array_new_with_free_func(
	    (GDestroyNotify)rendered_free);
	struct render_turn t;
	bool ok = render_turn_begin(r, style, in, &t, err) &&
	    make_mails(r, &t, mails, err);

	render_turn_clear(&t);
	if (ok)
		*out = mails;
	else
		g_ptr_array_unref(mails);
	return ok;
}
