/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that templates may use: one table per scope, which is also what
 * chatjournal-templates(5) says of them (a test compares).
 */
#include "render_view.h"

static const struct template_var fact_vars[] = {
	[F_NAME] = { "name", TEMPLATE_STRING, NULL,
		"what the value is, for example quoted message" },
	[F_PADDED] = { "padded", TEMPLATE_STRING, NULL,
		"the name filled up with blanks to 16 columns" },
	[F_VALUE] = { "value", TEMPLATE_STRING, NULL,
		"the value, one line" },
	{ NULL }
};

static const struct template_var media_vars[] = {
	[M_NAME] = { "name", TEMPLATE_STRING, NULL,
		"file name as given by the sender" },
	[M_MIME] = { "mime", TEMPLATE_STRING, NULL,
		"media type as declared by the network" },
	[M_SIZE] = { "size", TEMPLATE_STRING, NULL,
		"size in bytes, when the file is held" },
	[M_SHA256] = { "sha256", TEMPLATE_STRING, NULL,
		"SHA-256 as declared by the network, hexadecimal" },
	[M_ID] = { "media_id", TEMPLATE_STRING, NULL,
		"the network's id of the file" },
	[M_STATUS] = { "status", TEMPLATE_STRING, NULL,
		"attached, or not-attached" },
	{ NULL }
};

static const struct template_var party_vars[] = {
	[P_ROLE] = { "role", TEMPLATE_STRING, NULL, "From, To or Cc" },
	[P_ROLE_PADDED] = { "role_padded", TEMPLATE_STRING, NULL,
		"the role filled up with blanks to 16 columns" },
	[P_WHAT] = { "what", TEMPLATE_STRING, NULL,
		"customer, employee, desk, business, group or network" },
	[P_NAME] = { "name", TEMPLATE_STRING, NULL,
		"the best name that is known" },
	[P_ADDRESS] = { "address", TEMPLATE_STRING, NULL,
		"mail address in the header of this mail" },
	[P_FACTS] = { "facts", TEMPLATE_LIST, fact_vars,
		"numbers, ids and names of the party" },
	{ NULL }
};

static const struct template_var item_vars[] = {
	[I_NUMBER] = { "number", TEMPLATE_STRING, NULL,
		"position in the turn, from 1" },
	[I_TIME] = { "time", TEMPLATE_STRING, NULL,
		"event time, 2026-02-03 14:05:09 UTC; empty when not known" },
	[I_CLOCK] = { "clock", TEMPLATE_STRING, NULL,
		"event time without the date, 14:05:09" },
	[I_KIND] = { "kind", TEMPLATE_STRING, NULL,
		"message, edit, revoke, … as in X-ChatJournal-Event" },
	[I_TYPE] = { "type", TEMPLATE_STRING, NULL,
		"text, image, … as in X-ChatJournal-Types" },
	[I_AUTHOR] = { "author", TEMPLATE_STRING, NULL,
		"customer, staff, … as in X-ChatJournal-Author" },
	[I_ID] = { "id", TEMPLATE_STRING, NULL, "the network's message id" },
	[I_TEXT] = { "text", TEMPLATE_STRING, NULL,
		"what was written: body or caption, with its line breaks" },
	[I_INDENTED] = { "text_indented", TEMPLATE_STRING, NULL,
		"the same with every line indented by four blanks, so that "
		"it cannot be mistaken for a line of the journal" },
	[I_NOTE] = { "note", TEMPLATE_STRING, NULL,
		"why the content is missing or shown raw" },
	[I_FACTS] = { "facts", TEMPLATE_LIST, fact_vars,
		"all that is known of the item besides its text" },
	[I_MEDIA] = { "media", TEMPLATE_LIST, media_vars, "its files" },
	[I_RAW] = { "raw", TEMPLATE_STRING, NULL,
		"its JSON, a line per member, when that is the only way to "
		"show it" },
	[I_RAW_INDENTED] = { "raw_indented", TEMPLATE_STRING, NULL,
		"the same with every line indented by four blanks" },
	{ NULL }
};

static const struct template_var event_vars[] = {
	[E_CAPTURED] = { "captured", TEMPLATE_STRING, NULL,
		"time of capture, 2026-02-03T14:05:11.402Z" },
	[E_SOURCE] = { "source", TEMPLATE_STRING, NULL,
		"where it was captured, for example webhook" },
	[E_SEQ] = { "seq", TEMPLATE_STRING, NULL,
		"its number in the store" },
	[E_SHA256] = { "sha256", TEMPLATE_STRING, NULL,
		"SHA-256 of the bytes received, hexadecimal" },
	[E_SIZE] = { "size", TEMPLATE_STRING, NULL, "bytes received" },
	[E_FILE] = { "file", TEMPLATE_STRING, NULL,
		"name of the attachment that holds it; empty when left out" },
	{ NULL }
};

static const struct template_var turn_vars[] = {
	[T_FROM] = { "from", TEMPLATE_STRING, NULL,
		"name of who wrote, without addition" },
	[T_TO] = { "to", TEMPLATE_STRING, NULL, "name of the other side" },
	[T_WHAT] = { "what", TEMPLATE_STRING, NULL,
		"what the mail holds: 3 messages, edited message, status …" },
	[T_DIRECTION] = { "direction", TEMPLATE_STRING, NULL,
		"received or sent, seen from the business" },
	[T_NETWORK] = { "network", TEMPLATE_STRING, NULL, "WhatsApp" },
	[T_EVENT] = { "event", TEMPLATE_STRING, NULL,
		"kind of the first item, as in X-ChatJournal-Event" },
	[T_AUTHOR] = { "author", TEMPLATE_STRING, NULL,
		"as in X-ChatJournal-Author" },
	[T_COUNT] = { "count", TEMPLATE_STRING, NULL, "number of items" },
	[T_FIRST] = { "first", TEMPLATE_STRING, NULL,
		"event time of the first item, 2026-02-03 14:05:09 UTC" },
	[T_LAST] = { "last", TEMPLATE_STRING, NULL,
		"event time of the last item; empty when it is the first" },
	[T_DESK] = { "desk", TEMPLATE_STRING, NULL,
		"short name of the desk in the directory" },
	[T_BUSINESS] = { "business", TEMPLATE_STRING, NULL,
		"name of the business number in the directory" },
	[T_EMPLOYEE] = { "employee", TEMPLATE_STRING, NULL,
		"name of the employee in the directory" },
	[T_CUSTOMER] = { "customer", TEMPLATE_STRING, NULL,
		"best name that is known of the customer" },
	[T_CUSTOMER_NUMBER] = { "customer_number", TEMPLATE_STRING, NULL,
		"the customer's number, digits with +" },
	[T_CUSTOMER_ID] = { "customer_id", TEMPLATE_STRING, NULL,
		"the bank's own key of the customer in the directory" },
	[T_MESSAGE_ID] = { "message_id", TEMPLATE_STRING, NULL,
		"Message-ID of the mail, without < >" },
	[T_CONVERSATION] = { "conversation", TEMPLATE_STRING, NULL,
		"Conversation-ID of the mail" },
	[T_PARENT] = { "parent", TEMPLATE_STRING, NULL,
		"Message-ID of the mail this one refers to" },
	[T_RECEIVED] = { "received", TEMPLATE_FLAG, NULL,
		"set when the customer wrote" },
	[T_SENT] = { "sent", TEMPLATE_FLAG, NULL,
		"set when the business wrote" },
	[T_PARTIES] = { "parties", TEMPLATE_LIST, party_vars,
		"who took part: the author first" },
	[T_ITEMS] = { "items", TEMPLATE_LIST, item_vars,
		"what happened, in order" },
	[T_EVENTS] = { "events", TEMPLATE_LIST, event_vars,
		"the captured events that the items came in" },
	{ NULL }
};

const struct template_var *
render_template_vars(void)
{
	return turn_vars;
}
