/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread-Index, by which Outlook and Exchange tie the mails of a conversation
 * together: base64 of the property PidTagConversationIndex ([MS-OXOMSG]
 * 2.2.1.3).
 *
 * 22 bytes stand for the conversation: 0x01, the five high bytes of a FILETIME
 * (100 ns since 1601) and a GUID. Five more for each mail on the way from its
 * root to this one tell how long after that time it was written. Only the
 * GUID has to be the same in all mails; as nobody knows when a conversation
 * began, its time is a constant, so that the first 22 bytes are the same too.
 */
#include "render_int.h"

#include <string.h>

#define HEADER_SIZE 22
#define CHILD_SIZE 5
/* 1970-01-01 and 2020-01-01, in the units of FILETIME. */
#define UNIX_EPOCH (INT64_C(11644473600) * 10000000)
#define BEGINNING (UNIX_EPOCH + INT64_C(1577836800) * 10000000)

static int64_t
filetime(int64_t ms)
{
	return UNIX_EPOCH + ms * 10000;
}

static void
put_header(const struct render_turn *t, uint8_t *out)
{
	uint8_t digest[HASH_SIZE];

	hash_strings(digest, "conversation-index", t->conversation, NULL);
	out[0] = 0x01;
	for (int i = 0; i < 5; i++)
		out[1 + i] = (uint8_t)(BEGINNING >> (56 - 8 * i));
	memcpy(out + 6, digest, 16);
}

/*
 * One bit tells the precision of 31 bits of time: without the 18 lowest below
 * 1.7 years, without 23 above. Then four random bits, and four of a sequence
 * number; ours are taken from the id of the mail.
 */
static void
put_child(int64_t at_ms, const char *message_id, uint8_t *out)
{
	int64_t since = MAX(filetime(at_ms) - BEGINNING, 0);
	bool is_long = (since >> 32 & 0x00fe0000) != 0;
	uint32_t delta = (uint32_t)(since >> (is_long ? 23 : 18)) & 0x7fffffff;
	uint8_t digest[HASH_SIZE];

	if (is_long)
		delta |= 0x80000000;
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(delta >> (24 - 8 * i));
	hash_sha256(message_id, strlen(message_id), digest);
	out[4] = digest[0] & 0xf0;
}

/*
 * A follow-up and a part of a cut turn are children of the turn's first mail,
 * which has the same time. Of other parents the time is not known.
 */
const char *
render_thread_index(struct render_turn *t)
{
	const char *parent = t->in->parent_message_id;
	uint8_t index[HEADER_SIZE + 2 * CHILD_SIZE];
	size_t len = HEADER_SIZE;

	put_header(t, index);
	if (parent != NULL && (t->in->is_follow_up || t->part > 1)) {
		put_child(t->at_ms, parent, index + len);
		len += CHILD_SIZE;
	}
	put_child(t->at_ms, t->message_id, index + len);
	len += CHILD_SIZE;
	return render_keep(&t->scratch, g_base64_encode(index, len));
}
