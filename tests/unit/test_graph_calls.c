/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph against tests/fake/graph.py, obedient and hostile. Each test has media
 * ids of its own; after all of them, no other host may have seen the token.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "graph.h"
#include "graph_peer.h"

#define SIZE 200000
#define MAX_BYTES 1000000

static const char script[] =
	"102 find error 400 190/463 Error validating access token\n"
	"103 find error 400 80007 retry-after=7 Too many calls\n"
	"104 find status 502\n"
	"105 find truncated\n"
	"106 find huge\n"
	"107 find redirect https://localhost:{foreign}/v25.0/107\n"
	"108 find redirect https://localhost:{port}/v25.0/108\n"
	"109 find hang\n"
	"110 find drop\n"
	"111 find status 200\n"
	"201 get status 404\n"
	"202 get redirect https://localhost:{foreign}/x\n"
	"203 get redirect {good}\n"
	"204 get cut 100000\n"
	"205 get stall 100000\n"
	"206 get endless\n"
	"207 get status 429 retry-after=2\n"
	"208 get slow 100\n"
	"209 get stall 100000\n"
	"210 get status 401\n";

static struct graph_peer *peer;
static char content[SIZE];

struct world {
	struct graph *g;
	int fd;
	char *path;
	struct err err;
	int64_t len, retry_ms;
};

static struct graph *
graph_with(int64_t connect_ms, int64_t total_ms, const char *url,
    const char *ca, const char *token)
{
	g_autoptr(GBytes) bytes = token != NULL ?
	    g_bytes_new(token, strlen(token)) : g_bytes_ref(peer->token);
	struct graph_conf conf = { .url = url, .version = "v25.0",
		.token = bytes, .tls_ca_file = ca, .connect_ms = connect_ms,
		.total_ms = total_ms };
	struct graph *g = NULL;

	assert_true(graph_new(&conf, &g, NULL));
	return g;
}

static int
world_open(void **state)
{
	struct world *w = g_new0(struct world, 1);
	char name[] = "/tmp/cj-graph-file-XXXXXX";

	w->fd = mkstemp(name);
	w->path = g_strdup(name);
	w->g = graph_with(30000, 60000, peer->url, peer->ca_file, NULL);
	*state = w;
	return 0;
}

static int
world_close(void **state)
{
	struct world *w = *state;

	graph_free(w->g);
	close(w->fd);
	unlink(w->path);
	g_free(w->path);
	g_free(w);
	return 0;
}

static int
start_peer(void **state)
{
	(void)state;
	graph_peer_fill(content, SIZE);
	peer = graph_peer_start(script);
	assert_non_null(peer);	/* it needs python3 and openssl */
	graph_peer_files(peer, 101, 120, "jpg", content, SIZE);
	graph_peer_files(peer, 201, 299, "jpg", content, SIZE);
	return 0;
}

static int
stop_peer(void **state)
{
	(void)state;
	graph_peer_stop(peer);
	return 0;
}

static bool
find(struct world *w, const char *id, struct graph_media *m)
{
	*m = (struct graph_media){ .size = -1 };
	w->err = (struct err)ERR_INIT;
	return graph_media_find(w->g, id, "106540352242922", m, &w->retry_ms,
	    &w->err);
}

static void
assert_err(const struct world *w, enum err_kind kind, const char *what)
{
	if (w->err.kind != kind || strcmp(w->err.what, what) != 0)
		fail_msg("got %s %s \"%s\", want %s %s",
		    err_kind_name(w->err.kind), w->err.what, w->err.text,
		    err_kind_name(kind), what);
	assert_true(w->err.text[0] != '\0');
}

static void
find_fails(struct world *w, const char *id, enum err_kind kind,
    const char *what)
{
	struct graph_media m;

	assert_false(find(w, id, &m));
	assert_err(w, kind, what);
}

static bool
download_url(struct world *w, const char *url)
{
	w->err = (struct err)ERR_INIT;
	assert_int_equal(ftruncate(w->fd, 0), 0);
	assert_int_equal(lseek(w->fd, 0, SEEK_SET), 0);
	return graph_download(w->g, url, w->fd, MAX_BYTES, &w->len,
	    &w->retry_ms, &w->err);
}

static bool
download(struct world *w, const char *id)
{
	g_autofree char *url = graph_peer_url(peer, id, 300);

	return download_url(w, url);
}

static void
download_fails(struct world *w, const char *id, enum err_kind kind,
    const char *what)
{
	assert_false(download(w, id));
	assert_err(w, kind, what);
}

static void
assert_whole(struct world *w)
{
	g_autofree char *got = NULL;
	gsize len;

	assert_int_equal(w->len, SIZE);
	assert_true(g_file_get_contents(w->path, &got, &len, NULL));
	assert_int_equal(len, SIZE);
	assert_memory_equal(got, content, SIZE);
}

/* ---- obedient ------------------------------------------------------------------ */

static void
a_file_is_found_by_its_id_and_fetched_with_the_token(void **state)
{
	struct world *w = *state;
	struct graph_media m;

	assert_true(find(w, "101", &m));
	assert_string_equal(m.mime_type, "image/jpeg");
	assert_int_equal(m.size, SIZE);
	assert_int_equal(strlen(m.sha256), 64);
	assert_true(download_url(w, m.url));
	assert_whole(w);
	assert_int_equal(w->retry_ms, 0);
	graph_media_clear(&m);
	assert_true(find(w, "101", &m));	/* on the same connection */
	graph_media_clear(&m);
}

static void
the_number_is_not_needed(void **state)
{
	struct world *w = *state;
	struct graph_media m = { .size = -1 };

	assert_true(graph_media_find(w->g, "101", NULL, &m, NULL, NULL));
	graph_media_clear(&m);
	/* One that could not stand in a query is left out. */
	assert_true(graph_media_find(w->g, "101", "a&b=c", &m, NULL, NULL));
	graph_media_clear(&m);
}

static void *
fetch_many(void *arg)
{
	struct graph *g = arg;
	char name[] = "/tmp/cj-graph-file-XXXXXX";
	int fd = mkstemp(name);
	bool ok = fd >= 0 && unlink(name) == 0;

	for (int i = 0; ok && i < 5; i++) {
		struct graph_media m = { .size = -1 };
		int64_t len = 0;

		ok = graph_media_find(g, "101", NULL, &m, NULL, NULL) &&
		    graph_download(g, m.url, fd, MAX_BYTES, &len, NULL,
		    NULL) && len == SIZE;
		graph_media_clear(&m);
	}
	close(fd);
	return ok ? g : NULL;
}

static void
several_threads_use_one_graph_at_once(void **state)
{
	struct world *w = *state;
	pthread_t threads[4];
	void *ok;

	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fetch_many,
		    w->g), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
		pthread_join(threads[i], &ok);
		assert_ptr_equal(ok, w->g);
	}
}

/* ---- refusals --------------------------------------------------------------------- */

static void
an_unknown_id_is_gone(void **state)
{
	struct world *w = *state;

	find_fails(w, "999", ERR_PERM, "graph.gone");
	assert_non_null(strstr(w->err.text, "100/33"));
}

static void
what_is_no_id_is_not_asked_for(void **state)
{
	struct world *w = *state;

	find_fails(w, "../me", ERR_PERM, "graph.id");
	find_fails(w, "", ERR_PERM, "graph.id");
}

static void
a_refused_token_is_the_configurations_fault(void **state)
{
	struct world *w = *state;

	find_fails(w, "102", ERR_CONF, "graph.auth");
	assert_non_null(strstr(w->err.text, "190/463"));
	graph_free(w->g);
	w->g = graph_with(30000, 60000, peer->url, peer->ca_file, "EAAGwrong");
	find_fails(w, "101", ERR_CONF, "graph.auth");
}

static void
a_throttled_call_says_when_again(void **state)
{
	struct world *w = *state;

	find_fails(w, "103", ERR_TEMP, "graph.throttled");
	assert_int_equal(w->retry_ms, 7000);
	download_fails(w, "207", ERR_TEMP, "graph.throttled");
	assert_int_equal(w->retry_ms, 2000);
}

static void
pages_and_broken_json_are_the_servers_fault(void **state)
{
	struct world *w = *state;

	find_fails(w, "104", ERR_TEMP, "graph.server");
	find_fails(w, "105", ERR_TEMP, "graph.server");
	find_fails(w, "111", ERR_TEMP, "graph.server");
}

static void
an_answer_of_a_megabyte_is_not_read(void **state)
{
	find_fails(*state, "106", ERR_TEMP, "graph.server");
}

static void
an_old_url_is_expired(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "101", -1);

	assert_false(download_url(w, url));
	assert_err(w, ERR_TEMP, "graph.expired");
	download_fails(w, "201", ERR_TEMP, "graph.expired");
	download_fails(w, "210", ERR_TEMP, "graph.expired");
}

/* ---- where the token goes -------------------------------------------------------------- */

static void
a_redirect_is_not_followed_and_named(void **state)
{
	struct world *w = *state;

	find_fails(w, "107", ERR_PERM, "graph.host");
	assert_non_null(strstr(w->err.text, "localhost"));
	find_fails(w, "108", ERR_PERM, "graph.host");
	download_fails(w, "202", ERR_PERM, "graph.host");
	download_fails(w, "203", ERR_PERM, "graph.host");
	assert_int_equal(graph_peer_wait(peer, "graph get 203", 1), 1);
}

static void
nothing_is_sent_to_another_host_or_without_tls(void **state)
{
	static const char *const urls[] = { "https://localhost:%1$d/x",
		"http://localhost:%2$d/x", "https://127.0.0.1:%3$d/x",
		"https://localhost@127.0.0.1:%1$d/x",
		"https://localhost:%3$d@127.0.0.1:%1$d/x" };
	struct world *w = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		GString *url = g_string_new(urls[i]);

		for (int n = 1; n <= 3; n++) {
			g_autofree char *mark = g_strdup_printf("%%%d$d", n);
			g_autofree char *port = g_strdup_printf("%d",
			    n == 1 ? peer->foreign : n == 2 ? peer->plain :
			    peer->port);

			g_string_replace(url, mark, port, 0);
		}
		assert_false(download_url(w, url->str));
		assert_err(w, ERR_PERM, "graph.host");
		g_string_free(url, TRUE);
	}
}

static void
proxies_of_the_environment_do_not_see_the_token(void **state)
{
	struct world *w = *state;
	g_autofree char *proxy = g_strdup_printf("http://127.0.0.1:%d",
	    peer->plain);
	bool ok;

	g_setenv("https_proxy", proxy, TRUE);
	g_setenv("ALL_PROXY", proxy, TRUE);
	ok = download(w, "101");
	g_unsetenv("https_proxy");
	g_unsetenv("ALL_PROXY");
	assert_true(ok);
}

/* The rest of it: tests/integration/media-proxy.sh */
static void
a_proxy_that_is_down_is_named_and_not_gone_around(void **state)
{
	struct world *w = *state;
	struct graph_conf conf = { .url = peer->url, .version = "v25.0",
		.token = peer->token, .tls_ca_file = peer->ca_file,
		.connect_ms = 2000, .total_ms = 4000,
		.proxy = "http://127.0.0.1:1" };

	graph_free(w->g);
	assert_true(graph_new(&conf, &w->g, NULL));
	g_setenv("no_proxy", "*", TRUE);
	find_fails(w, "112", ERR_TEMP, "graph.proxy");
	g_unsetenv("no_proxy");
	assert_non_null(strstr(w->err.text, "proxy http://127.0.0.1:1)"));
	assert_int_equal(graph_peer_logged(peer, "graph begin find 112"), 0);
}

static void
a_strange_authority_is_not_trusted(void **state)
{
	struct world *w = *state;

	graph_free(w->g);
	w->g = graph_with(30000, 60000, peer->url, NULL, NULL);
	find_fails(w, "101", ERR_TEMP, "graph.network");
	graph_free(w->g);
	w->g = graph_with(30000, 60000, peer->url, "/nonexistent/ca.pem",
	    NULL);
	find_fails(w, "101", ERR_CONF, "graph.conf");
}

static void
no_other_host_was_ever_contacted(void **state)
{
	(void)state;
	assert_int_equal(graph_peer_logged(peer, "foreign"), 0);
	assert_int_equal(graph_peer_logged(peer, "plain"), 0);
	assert_true(graph_peer_wait(peer, "graph get 101 200", 1) > 0);
}

/* ---- networks ------------------------------------------------------------------------------ */

static void
a_closed_connection_is_a_failure(void **state)
{
	struct world *w = *state;

	find_fails(w, "110", ERR_TEMP, "graph.network");
	download_fails(w, "204", ERR_TEMP, "graph.network");
	graph_free(w->g);
	w->g = graph_with(2000, 4000, "https://localhost:1", peer->ca_file,
	    NULL);
	find_fails(w, "101", ERR_TEMP, "graph.network");
}

static void
silence_ends_with_the_deadline(void **state)
{
	struct world *w = *state;

	graph_free(w->g);
	w->g = graph_with(30000, 300, peer->url, peer->ca_file, NULL);
	find_fails(w, "109", ERR_TEMP, "graph.deadline");
	download_fails(w, "205", ERR_TEMP, "graph.deadline");
	download_fails(w, "208", ERR_TEMP, "graph.deadline");
}

static void
a_body_that_stands_still_is_given_up_before_the_deadline(void **state)
{
	struct world *w = *state;

	graph_free(w->g);
	w->g = graph_with(300, 60000, peer->url, peer->ca_file, NULL);
	download_fails(w, "205", ERR_TEMP, "graph.deadline");
}

static void
no_more_than_allowed_is_ever_written(void **state)
{
	struct world *w = *state;
	struct stat st;

	download_fails(w, "206", ERR_PERM, "graph.size");
	assert_int_equal(fstat(w->fd, &st), 0);
	assert_true(st.st_size <= MAX_BYTES);
	assert_false(graph_download(w->g, "https://localhost/", w->fd, 0,
	    &w->len, NULL, NULL));
}

static void
a_length_that_is_said_to_be_too_much_is_not_begun(void **state)
{
	struct world *w = *state;
	g_autofree char *url = graph_peer_url(peer, "101", 300);
	struct stat st;

	w->err = (struct err)ERR_INIT;
	assert_false(graph_download(w->g, url, w->fd, SIZE - 1, &w->len, NULL,
	    &w->err));
	assert_err(w, ERR_PERM, "graph.size");
	assert_int_equal(fstat(w->fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_true(graph_download(w->g, url, w->fd, SIZE, &w->len, NULL,
	    NULL));
	assert_whole(w);
}

static void
a_full_disk_is_told_from_a_broken_network(void **state)
{
	struct world *w = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	g_autofree char *url = graph_peer_url(peer, "101", 300);

	assert_true(full >= 0);
	assert_false(graph_download(w->g, url, full, MAX_BYTES, &w->len, NULL,
	    &w->err));
	assert_err(w, ERR_TEMP, "io.write");
	close(full);
}

static void *
cancel_soon(void *arg)
{
	g_usleep(100000);
	graph_cancel(arg);
	return NULL;
}

static void
a_call_under_way_can_be_stopped(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, w->g), 0);
	download_fails(w, "209", ERR_TEMP, "graph.stopped");
	pthread_join(thread, NULL);
	find_fails(w, "101", ERR_TEMP, "graph.stopped");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_found_by_its_id_and_fetched_with_the_token),
		TEST(the_number_is_not_needed),
		TEST(several_threads_use_one_graph_at_once),
		TEST(an_unknown_id_is_gone),
		TEST(what_is_no_id_is_not_asked_for),
		TEST(a_refused_token_is_the_configurations_fault),
		TEST(a_throttled_call_says_when_again),
		TEST(pages_and_broken_json_are_the_servers_fault),
		TEST(an_answer_of_a_megabyte_is_not_read),
		TEST(an_old_url_is_expired),
		TEST(a_redirect_is_not_followed_and_named),
		TEST(nothing_is_sent_to_another_host_or_without_tls),
		TEST(proxies_of_the_environment_do_not_see_the_token),
		TEST(a_proxy_that_is_down_is_named_and_not_gone_around),
		TEST(a_strange_authority_is_not_trusted),
		TEST(a_closed_connection_is_a_failure),
		TEST(silence_ends_with_the_deadline),
		TEST(a_body_that_stands_still_is_given_up_before_the_deadline),
		TEST(no_more_than_allowed_is_ever_written),
		TEST(a_length_that_is_said_to_be_too_much_is_not_begun),
		TEST(a_full_disk_is_told_from_a_broken_network),
		TEST(a_call_under_way_can_be_stopped),
		cmocka_unit_test(no_other_host_was_ever_contacted),
	};

	graph_init();
	return cmocka_run_group_tests_name("graph against a peer", tests,
	    start_peer, stop_peer);
}
