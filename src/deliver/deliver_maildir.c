/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport without a relay: a Maildir on this host. Each mail is a file
 * in new/, whole and durable before it is reported. When the disk does not
 * take it, the Maildir is at fault and the mail waits.
 */
#include "deliver.h"

#include <string.h>

#include "deliver_int.h"
#include "err.h"
#include "hash.h"
#include "io.h"
#include "text.h"

/* Waiting costs nothing: there is no connection. */
#define WAIT_MS 1000
#define TOKEN_MAX_LEN 120
#define SUFFIX_LEN 12

struct maildir {
	char *tmp, *new;
};

/*
 * The left part of the Message-ID, for people; and a hash, so that two mails
 * never share a name: replacing one by the other would lose it.
 */
static char *
file_name(const struct deliver_mail *mail)
{
	const char *id = mail->message_id;
	uint8_t digest[HASH_SIZE];
	char suffix[HASH_B32_SIZE];
	g_autofree char *left = NULL;
	g_autofree char *token = NULL;

	hash_strings(digest, mail->message_id, mail->envelope_to, NULL);
	hash_base32(digest, suffix);
	suffix[SUFFIX_LEN] = '\0';
	if (*id == '<')
		id++;
	left = g_strndup(id, strcspn(id, "@>"));
	token = text_clean_token(left, TOKEN_MAX_LEN);
	/* Readers of a Maildir skip names that begin with a dot. */
	if (token[0] == '.')
		token[0] = '_';
	return g_strconcat(token, ".", suffix, NULL);
}

static bool
open_dirs(const char *maildir, struct maildir *m, struct err *err)
{
	g_autofree char *cur = g_build_filename(maildir, "cur", NULL);

	m->tmp = g_build_filename(maildir, "tmp", NULL);
	m->new = g_build_filename(maildir, "new", NULL);
	return io_mkdir_all(m->tmp, err) && io_mkdir_all(m->new, err) &&
	    io_mkdir_all(cur, err);
}

static const void *
give_piece(void *arg, size_t *len)
{
	return deliver_way_next(arg, len);
}

static enum deliver_result
store(const struct maildir *m, const struct deliver_mail *mail,
    struct deliver_report *r, struct err *err)
{
	g_autofree char *name = file_name(mail);
	g_autofree char *path = g_build_filename(m->new, name, NULL);
	struct err why = ERR_INIT;
	enum deliver_result result = DELIVER_ACCEPTED;
	struct deliver_way way;

	deliver_way_start(&way, mail);
	if (!io_publish_pieces(m->tmp, m->new, name, give_piece, &way,
	    &why)) {
		/* Perhaps it is there, perhaps it outlives a power cut. */
		result = why.kind == ERR_UNSURE ? DELIVER_UNSURE :
		    DELIVER_RELAY;
		why.kind = ERR_TEMP;
		if (err != NULL)
			*err = why;
	}
	deliver_report_set(r, result, 0, result == DELIVER_ACCEPTED ? path :
	    why.text);
	return result;
}

static bool
fill(const struct maildir *m, const struct deliver_feed *feed,
    struct err *err)
{
	const struct deliver_mail *mail;
	struct deliver_report r;
	enum deliver_result result = DELIVER_ACCEPTED;

	while (result == DELIVER_ACCEPTED &&
	    (mail = feed->next(feed->arg, WAIT_MS)) != NULL) {
		result = store(m, mail, &r, err);
		feed->done(feed->arg, mail, &r);
	}
	return result == DELIVER_ACCEPTED;
}

bool
deliver_maildir_session(const char *maildir, const struct deliver_feed *feed,
    struct err *err)
{
	struct maildir m = { NULL, NULL };
	bool ok = open_dirs(maildir, &m, err) && fill(&m, feed, err);

	g_free(m.tmp);
	g_free(m.new);
	return ok;
}
