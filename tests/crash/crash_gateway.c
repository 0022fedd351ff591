/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crashes the gateway at each system call that changes a file, with the role's
 * own files between a caller and a network that are made up here. Another life
 * goes on, and the caller asks again where he has an Idempotency-Key. Nothing
 * may have gone to the network without a row, nothing twice; who was told of a
 * success has its record, and in the end nothing is under way.
 *
 * crash_slice.h says which calls are tried.
 */
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf.h"
#include "crash_calls.h"
#include "crash_slice.h"
#include "crash_tree.h"
#include "err.h"
#include "gw_int.h"
#include "log.h"
#include "policy.h"
#include "store.h"

#define EVERY 37
#define LEAST_CALLS 150
#define ROUNDS_MAX 60
#define TRIES_MAX 8
#define KEY_LEN 32

/* ---- the day of a caller ---- */

/* What the network does with it. */
enum fate { DOES, DOES_AND_LOSES, DOES_WITH_GARBAGE, REFUSES, IS_AWAY };

struct act {
	const char *target, *body;
	const char *key;	/* Idempotency-Key: he asks again; or NULL */
	enum fate fate;
	const char *type;	/* of the body; NULL: JSON */
	const char *method;	/* NULL: POST */
};

#define SEND "/v25.0/700111222/messages"
#define GROUP "/v25.0/Y2FwaV9ncm91cDoxMjM=/participants"
#define TEXT(words) "{\"messaging_product\":\"whatsapp\"," \
	"\"to\":\"5511999990000\",\"type\":\"text\"," \
	"\"text\":{\"body\":\"" words "\"}}"
#define FORM "--x\r\nContent-Disposition: form-data; " \
	"name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--x\r\n" \
	"Content-Disposition: form-data; name=\"file\"; " \
	"filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n" \
	"\x89PNG\r\n\x1a\nbytes of it\r\n--x--\r\n"

static const struct act day[] = {
	{ SEND, TEXT("one"), "k1", DOES, NULL },
	{ SEND, TEXT("two"), NULL, DOES, NULL },
	{ SEND, TEXT("secret three"), "k3", DOES, NULL },
	{ SEND, TEXT("four"), "k4", DOES_AND_LOSES, NULL },
	{ SEND, TEXT("hold five"), "k5", DOES, NULL },
	{ SEND, TEXT("six"), "k6", REFUSES, NULL },
	{ "/v25.0/700111222/media", FORM, NULL, DOES,
	  "multipart/form-data; boundary=x" },
	{ SEND, TEXT("eight"), NULL, IS_AWAY, NULL },
	{ "/capture", "{\"phone_number_id\":\"700111222\",\"request\":"
	  TEXT("nine") ",\"response\":{\"messages\":[{\"id\":"
	  "\"wamid.C\"}]},\"status\":200}", "k9", DOES, NULL },
	{ "/v25.0/700111222/calls", "{\"messaging_product\":\"whatsapp\","
	  "\"action\":\"terminate\",\"call_id\":\"wacid.1\"}", "k10", DOES,
	  NULL },
	{ SEND, TEXT("eleven"), "k11", DOES_WITH_GARBAGE, NULL },
	{ SEND, TEXT("twelve"), "k12", DOES, NULL },
	{ GROUP, "{\"participants\":[{\"user\":\"thirteen\"}]}", "k13",
	  DOES, NULL, "DELETE" },
};
#define ACTS G_N_ELEMENTS(day)

static const char rules[] =
	"rule secrets { match text \"secret\"; action tag s; "
	"action block \"No.\"; }\n"
	"rule holds { match text \"hold\"; action approve; }\n"
	"rule notes { match direction sent; match not { text \"secret\"; } "
	"action append \"Recorded.\" once conversation; }\n";

/* Where the process that dies is; shared with the one that goes on. */
struct told {
	int calls, odd;
	size_t next;		/* act */
	int status[ACTS];	/* the last answer */
	int done[ACTS];		/* times the network did it */
	char key[ACTS][KEY_LEN + 1];	/* of the last of these */
};

static struct told *told;
static char *dir, *uri, *fresh;
static struct conf *conf;

/* ---- the listener, as far as it is needed ---- */

struct http_request {
	const struct act *act;
	int status;		/* 0: not answered */
};

const char *
http_request_method(const struct http_request *rq)
{
	return rq->act->method != NULL ? rq->act->method : "POST";
}

const char *
http_request_target(const struct http_request *rq)
{
	return rq->act->target;
}

const char *
http_request_header(const struct http_request *rq, const char *name)
{
	if (strcmp(name, "Authorization") == 0)
		return "Bearer token";
	if (strcmp(name, "Idempotency-Key") == 0)
		return rq->act->key;
	if (strcmp(name, "Content-Type") == 0)
		return rq->act->type != NULL ? rq->act->type :
		    "application/json";
	return NULL;
}

const char *
http_request_client(const struct http_request *rq)
{
	(void)rq;
	return NULL;
}

const char *
http_request_remote(const struct http_request *rq)
{
	(void)rq;
	return "192.0.2.1";
}

const void *
http_request_body(const struct http_request *rq, size_t *len)
{
	*len = strlen(rq->act->body);
	return rq->act->body;
}

void
http_answer_with(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, const void *body,
    size_t len)
{
	(void)content_type, (void)headers, (void)body, (void)len;
	told->odd += rq->status != 0;
	rq->status = status;
}

void
http_answer_file(struct http_request *rq, int status,
    const char *content_type, const char *const *headers, int fd, size_t len)
{
	(void)content_type, (void)headers, (void)fd, (void)len;
	rq->status = status;
}

/* ---- the network ---- */

/* What was submitted and is not answered: one at a time. */
static struct graph_request under_way;

static const struct act *
act_of(const struct graph_request *rq)
{
	static const char *const words[] = { "one", "two", "three", "four",
		"five", "six", "bytes of it", "eight", "nine", "wacid",
		"eleven", "twelve", "thirteen" };
	g_autofree char *body = g_strndup(rq->body, rq->len);

	for (size_t i = 0; i < ACTS; i++) {
		if (memmem(rq->body, rq->len, words[i], strlen(words[i])))
			return &day[i];
	}
	return NULL;
}

/* The key that the gateway put into it. */
static void
note_key(const struct graph_request *rq, size_t i)
{
	static const char mark[] = "\"cj:";
	const char *at = memmem(rq->body, rq->len, mark, sizeof(mark) - 1);

	if (at != NULL)
		memcpy(told->key[i], at + sizeof(mark) - 1, KEY_LEN);
}

void
graph_pool_submit(struct graph_pool *p, const struct graph_request *rq)
{
	const struct act *a = act_of(rq);

	(void)p;
	told->odd += under_way.done != NULL || a == NULL;
	under_way = *rq;
	if (a == NULL || a->fate == REFUSES || a->fate == IS_AWAY)
		return;
	told->done[a - day]++;
	note_key(rq, (size_t)(a - day));
}

static void
reply(const struct graph_request *rq, const struct act *a)
{
	static const char good[] = "{\"id\":\"8901\",\"messages\":[{\"id\":"
	    "\"wamid.M\"}]}";
	static const char bad[] = "{\"error\":{\"message\":\"no\","
	    "\"code\":131026}}";
	struct err why = ERR_INIT;
	struct graph_reply r = { .status = a->fate == REFUSES ? 400 : 200,
		.content_type = "application/json", .why = &why,
		.body = a->fate == REFUSES ? bad :
		    a->fate == DOES_WITH_GARBAGE ? "<html>" : good };

	r.len = strlen(r.body);
	if (a->fate == DOES_AND_LOSES || a->fate == IS_AWAY) {
		r = (struct graph_reply){ .fate = a->fate == IS_AWAY ?
		    GRAPH_NOT_SENT : GRAPH_UNKNOWN, .why = &why };
		err_set(&why, ERR_UNSURE, "graph.network", "it is away");
	}
	rq->done(rq->arg, &r);
}

static void
let_reply(void)
{
	struct graph_request rq = under_way;

	if (rq.done == NULL)
		return;
	under_way = (struct graph_request){ 0 };
	reply(&rq, act_of(&rq));
}

/* ---- one life ---- */

static GPtrArray *
make_apps(void)
{
	GPtrArray *apps = g_ptr_array_new();
	struct gateway_application *a = g_new0(struct gateway_application, 1);

	a->name = g_strdup("crm");
	a->author = g_strdup("staff");
	a->tokens = g_ptr_array_new();
	a->businesses = g_ptr_array_new();
	g_ptr_array_add(a->tokens, g_bytes_new_static("token", 5));
	g_ptr_array_add(apps, a);
	return apps;
}

/* As role_gateway() does it, without threads. */
static bool
begin(struct gw *g, struct err *err)
{
	struct gateway_pace_conf pace = { 0 };

	*g = (struct gw){ .conf = conf };
	pthread_mutex_init(&g->lock, NULL);
	gw_crews_init(g);
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->apps = make_apps();
	g->pace = gateway_pace_new(&pace);
	g->waiting = g_ptr_array_new();
	g->unsaved = g_ptr_array_new();
	g->definitions = gw_definitions_new();
	g->underway = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	g->ending = g_hash_table_new_full(g_int64_hash, g_int64_equal,
	    g_free, NULL);
	if (!policy_new(conf->policy, NULL, NULL, &g->policy, err))
		return false;
	g->policy_work = policy_work_new(g->policy);
	for (int i = 0; i < TRIES_MAX; i++) {
		if (g->store == NULL &&
		    !store_open(uri, STORE_GATEWAY, &g->store, err))
			continue;
		g->spool = g_strdup(store_dir(g->store, STORE_DIR_SPOOL));
		if (gw_recover(g, g_get_real_time() / 1000, err))
			return true;
	}
	return false;
}

static void
run_jobs(struct gw *g)
{
	struct gw_job *job;

	for (int i = 0; i < GW_WORKS; i++) {
		while ((job = gw_get(g, &g->crews[i].jobs)) != NULL) {
			job->run(g, job);
			gw_put(g, &g->jobs_done, job);
		}
	}
}

/* A caller without a key asks once; with one until he knows. */
static bool
is_final(const struct act *a, int status)
{
	return a->key == NULL || (status != 409 && status != 429 &&
	    status != 503);
}

static int
ask(struct gw *g, const struct act *a)
{
	struct http_request rq = { .act = a };
	int64_t wait_ms;

	gw_handle(g, &rq);
	for (int i = 0; i < ROUNDS_MAX && rq.status == 0; i++) {
		gw_step(g, true, &wait_ms);
		run_jobs(g);
		let_reply();
	}
	told->odd += rq.status == 0;
	return rq.status;
}

static void
release(struct store *admin, const struct store_send *row)
{
	struct store_review r = { .at_ms = row->changed_ms, .who = "otto",
		.verb = "release", .send_key = row->key, .why = "fine" };
	int64_t id;

	store_review_add(admin, &r, &id);
}

static bool
take_held(void *arg, const struct store_send *row)
{
	release(arg, row);
	return true;
}

static void
release_all(void)
{
	struct store *admin = NULL;

	if (store_open(uri, STORE_ADMIN, &admin, NULL)) {
		store_begin(admin);
		store_send_list(admin, STORE_SEND_HELD, 0, 10, take_held,
		    admin, NULL);
		store_commit(admin, NULL);
	}
	store_close(admin);
}

/*
 * An officer works in a process of his own: what fails in the gateway's must
 * not fail for him. He acts when he is asked, and says when he is done.
 */
static int officer = -1;

static pid_t
hire_officer(void)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
	    (pid = fork()) < 0)
		exit(1);
	officer = ends[0];
	if (pid != 0) {
		close(ends[1]);
		return pid;
	}
	close(ends[0]);
	while (read(ends[1], &byte, 1) == 1) {
		release_all();
		if (write(ends[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void
ask_officer(void)
{
	char byte = 'x';

	told->odd += write(officer, &byte, 1) != 1 ||
	    read(officer, &byte, 1) != 1;
}

static void
work_off(struct gw *g)
{
	int64_t wait_ms;
	bool more = true;

	for (int i = 0; i < ROUNDS_MAX && (more || i < 4); i++) {
		more = gw_step(g, true, &wait_ms);
		let_reply();
	}
}

static bool
live(bool goes_on)
{
	struct err err = ERR_INIT;
	struct gw g;

	if (!begin(&g, &err))
		return false;
	/* Who has no key does not ask again for what broke off. */
	if (goes_on && told->next < ACTS && day[told->next].key == NULL)
		told->next++;
	for (; told->next < ACTS; told->next++) {
		const struct act *a = &day[told->next];
		int status = ask(&g, a);

		for (int i = 0; i < TRIES_MAX && !is_final(a, status); i++)
			status = ask(&g, a);
		told->status[told->next] = status;
	}
	ask_officer();
	work_off(&g);
	store_close(g.store);
	return true;
}

/* ---- what came of it ---- */

struct look {
	const char *wrong;
	int rows, accepted, open;
	GHashTable *records;	/* "key outcome" */
	GHashTable *rows_by_key;	/* key -> outcome */
};

static bool
take_record(void *arg, const struct store_event *ev)
{
	struct look *l = arg;
	const char *send = g_strstr_len(ev->body, (gssize)ev->len,
	    "\"send\":\"");
	const char *outcome = g_strstr_len(ev->body, (gssize)ev->len,
	    "\"outcome\":\"");
	const char *method = g_strstr_len(ev->body, (gssize)ev->len,
	    g_strstr_len(ev->body, (gssize)ev->len, GROUP) != NULL ?
	    "\"method\":\"DELETE\"" : "\"method\":\"POST\"");
	char *name;

	if (send == NULL || outcome == NULL) {
		l->wrong = "a record is none";
		return true;
	}
	if (method == NULL)
		l->wrong = "a record does not say what was asked for";
	outcome += strlen("\"outcome\":\"");
	name = g_strdup_printf("%.*s %.*s", KEY_LEN, send + 8,
	    (int)strcspn(outcome, "\""), outcome);
	if (!g_hash_table_add(l->records, name))
		l->wrong = "a send has the same record twice";
	return true;
}

static bool
take_row(void *arg, const struct store_send *row)
{
	struct look *l = arg;
	g_autofree char *name = g_strjoin(" ", row->key, row->outcome, NULL);

	l->rows++;
	l->open += row->state != STORE_SEND_DONE;
	l->accepted += g_strcmp0(row->outcome, "accepted") == 0;
	if (row->state == STORE_SEND_DONE &&
	    !g_hash_table_contains(l->records, name))
		l->wrong = "a row has no record of what it says";
	g_hash_table_replace(l->rows_by_key, g_strdup(row->key),
	    g_strdup(row->outcome));
	return true;
}

static void
check_act(struct look *l, size_t i)
{
	const struct act *a = &day[i];
	const char *outcome = g_hash_table_lookup(l->rows_by_key,
	    told->key[i]);
	bool is_send = strcmp(a->target, SEND) == 0;

	if (is_send && told->done[i] > 1)
		l->wrong = "a message was sent twice";
	if (is_send && told->done[i] > 0 && outcome == NULL)
		l->wrong = "a message was sent and has no row";
	if (is_send && told->done[i] > 0 && outcome != NULL &&
	    strcmp(outcome, "accepted") != 0 &&
	    strcmp(outcome, "unknown") != 0)
		l->wrong = "a message was sent and its row denies it";
	if (is_send && told->status[i] == 200 &&
	    g_strcmp0(outcome, "accepted") != 0)
		l->wrong = "a caller was told of a success without a record";
	if (told->status[i] == 503 && told->done[i] > 0 && is_send)
		l->wrong = "a caller was told that it was not sent";
}

static bool
take_upload(void *arg, const struct store_upload *u)
{
	*(bool *)arg = u->path != NULL;
	return false;
}

static void
look_into(struct store *st, struct look *l)
{
	bool has_upload = false, lawful = false;
	g_autofree char *why = NULL;

	store_event_list(st, STORE_EVENT_GATEWAY, 1000, SIZE_MAX, take_record,
	    l, NULL);
	for (int state = 0; state < STORE_SEND_STATES; state++)
		store_send_list(st, (enum store_send_state)state, 0, 1000,
		    take_row, l, NULL);
	for (size_t i = 0; i < ACTS; i++)
		check_act(l, i);
	if (l->open > 0)
		l->wrong = "a send is under way still";
	store_upload_get(st, "8901", take_upload, &has_upload, NULL);
	if (told->status[6] == 200 && !has_upload)
		l->wrong = "an upload is lost";
	if (!store_law_check(st, &lawful, &why, NULL) || !lawful)
		l->wrong = "the law is broken";
}

/* NULL, or what is wrong. */
static const char *
look(int *accepted)
{
	struct look l = { 0 };
	struct store *st = NULL;

	if (told->odd > 0)
		return "a request was not answered once, or nothing known "
		    "was sent";
	if (!store_prepare(uri, NULL, NULL, NULL) ||
	    !store_open(uri, STORE_NONE, &st, NULL))
		return "the store does not open";
	l.records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    NULL);
	l.rows_by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    g_free);
	look_into(st, &l);
	*accepted = l.accepted;
	store_close(st);
	g_hash_table_unref(l.records);
	g_hash_table_unref(l.rows_by_key);
	return l.wrong;
}

/* ---- runs ---- */

static void
start_anew(void)
{
	g_autofree char *store = g_build_filename(dir, "store", NULL);

	crash_tree_copy(fresh, store);
	memset(told, 0, sizeof(*told));
}

static int
run(enum crash_mode mode, int at, bool goes_on)
{
	int status = 0;
	pid_t other = hire_officer(), pid = fork();

	if (pid == 0) {
		bool ok;

		crash_arm(mode, at);
		ok = live(goes_on);
		told->calls = crash_calls();
		_exit(ok ? 0 : 1);
	}
	close(officer);
	waitpid(pid, &status, 0);
	waitpid(other, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *
judge(enum crash_mode mode, int got)
{
	int accepted;

	if (got != (mode == CRASH_FAIL ? 0 : CRASH_EXIT))
		return "it ended in another way";
	if (mode != CRASH_FAIL && (!store_prepare(uri, NULL, NULL, NULL) ||
	    run(CRASH_NEVER, 0, true) != 0))
		return "going on did not end well";
	return look(&accepted);
}

struct plan {
	const char *sentence;
	enum crash_mode mode;
};

static const struct plan plans[] = {
	{ "killed at any call, it sends nothing twice and forgets nothing",
	    CRASH_KILL },
	{ "cut off from power at any call, neither", CRASH_CUT },
	{ "when any call fails, neither", CRASH_FAIL },
};

static bool
try_plan(const struct plan *p, int number, int calls,
    const struct crash_slice *slice)
{
	int tried = 0;
	bool ok = true;

	for (int at = crash_slice_first(slice, number); at <= calls;
	    at += slice->every) {
		const char *wrong;

		start_anew();
		tried++;
		wrong = judge(p->mode, run(p->mode, at, false));
		if (wrong != NULL)
			printf("# at call %d: %s\n", at, wrong);
		ok = ok && wrong == NULL;
	}
	printf("# %d of %d calls tried\n", tried, calls);
	printf("%sok %d - %s\n", ok ? "" : "not ", number + 2, p->sentence);
	fflush(stdout);
	return ok;
}

static bool
live_undisturbed(int *calls)
{
	static const int want[ACTS] = { 200, 200, 403, 502, 202, 400, 200,
		502, 200, 200, 502, 200, 200 };
	const char *wrong;
	int accepted = 0;
	bool ok;

	start_anew();
	ok = run(CRASH_FAIL, -1, false) == 0;
	*calls = told->calls;
	wrong = ok ? look(&accepted) : "it did not end";
	for (size_t i = 0; i < ACTS && wrong == NULL; i++) {
		if (told->status[i] != want[i]) {
			printf("# act %zu was answered %d\n", i,
			    told->status[i]);
			wrong = "an answer is another";
		}
	}
	printf("# %d calls, %d accepted%s%s\n", *calls, accepted,
	    wrong != NULL ? ": " : "", wrong != NULL ? wrong : "");
	ok = wrong == NULL && *calls >= LEAST_CALLS && accepted == 6;
	printf("%sok 1 - undisturbed, every answer and record is as it "
	    "should be\n", ok ? "" : "not ");
	return ok;
}

/* ---- set-up ---- */

static bool
load_conf(void)
{
	g_autofree char *path = g_build_filename(dir, "chatjournal.conf",
	    NULL);
	g_autofree char *policy = g_build_filename(dir, "policy.conf", NULL);
	g_autofree char *text = g_strdup_printf("user -;\ncatch_all archive;\n"
	    "policy %s;\n"
	    "graph { token_file /dev/null; }\n"
	    "intake { app_secret_file /dev/null; "
	    "verify_token_file /dev/null; }\n"
	    "render { domain chatjournal.bank.example; }\n"
	    "gateway { capture on; application crm { "
	    "token_file /dev/null; } }\n"
	    "journal archive { maildir /nonexistent/1; }\n", policy);
	g_autoptr(GString) messages = g_string_new(NULL);

	if (g_file_set_contents(path, text, -1, NULL) &&
	    g_file_set_contents(policy, rules, -1, NULL) &&
	    conf_load(path, &conf, messages, NULL))
		return true;
	printf("Bail out! %s\n", messages->str);
	return false;
}

static bool
set_up(void)
{
	g_autofree char *store = NULL;
	g_autofree char *fresh_uri = NULL;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_open_fd(null, 0, LOG_LEVEL_ERROR);
	dir = g_dir_make_tmp("crash-gateway-XXXXXX", NULL);
	store = g_build_filename(dir, "store", NULL);
	fresh = g_build_filename(dir, "fresh", NULL);
	uri = g_strconcat("sqlite:", store, NULL);
	fresh_uri = g_strconcat("sqlite:", fresh, NULL);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return load_conf() && store_prepare(fresh_uri, NULL, NULL, NULL);
}

int
main(void)
{
	struct crash_slice slice = crash_slice(EVERY);
	int calls;
	bool ok;

	printf("1..%d\n", 1 + (int)G_N_ELEMENTS(plans));
	if (!set_up())
		return 1;
	ok = live_undisturbed(&calls);
	for (int i = 0; i < (int)G_N_ELEMENTS(plans); i++)
		ok = try_plan(&plans[i], i, calls, &slice) && ok;
	crash_tree_remove(dir);
	conf_free(conf);
	g_free(dir);
	g_free(uri);
	g_free(fresh);
	return ok ? 0 : 1;
}
