/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: TLS, replacing the certificate, and client certificates. Keys and
 * certificates are made anew for each run, in a directory of its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "http_peer.h"

#define META "client.webhooks.fbclientcerts.com"
#define GET "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define GET_ON "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* A certificate with its key, as objects and as files. */
struct id {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	char *crt_file, *key_file;
};

static char *dir;
static unsigned char serial;

static void
ok(int r)
{
	if (r < 0)
		fail_msg("GnuTLS: %s", gnutls_strerror(r));
}

static char *
write_file(const char *name, const gnutls_datum_t *d, mode_t mode)
{
	char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, (char *)d->data, d->size, NULL));
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void
save(struct id *id, const char *name)
{
	g_autofree char *crt = g_strconcat(name, ".crt", NULL);
	g_autofree char *key = g_strconcat(name, ".key", NULL);
	gnutls_datum_t d;

	ok(gnutls_x509_crt_export2(id->crt, GNUTLS_X509_FMT_PEM, &d));
	id->crt_file = write_file(crt, &d, 0644);
	gnutls_free(d.data);
	ok(gnutls_x509_privkey_export2(id->key, GNUTLS_X509_FMT_PEM, &d));
	id->key_file = write_file(key, &d, 0600);
	gnutls_free(d.data);
}

struct wish {
	const char *name, *common_name, *dns;
	const struct id *issuer;	/* NULL: by itself */
	bool expired;
};

/* A CA if it has no issuer: then it may sign others. */
static struct id
make(struct wish w)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct id id = { 0 };

	serial++;
	ok(gnutls_x509_privkey_init(&id.key));
	ok(gnutls_x509_privkey_generate(id.key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	ok(gnutls_x509_crt_init(&id.crt));
	ok(gnutls_x509_crt_set_version(id.crt, 3));
	ok(gnutls_x509_crt_set_serial(id.crt, &serial, 1));
	ok(gnutls_x509_crt_set_activation_time(id.crt, now - 7200));
	ok(gnutls_x509_crt_set_expiration_time(id.crt, now +
	    (w.expired ? -3600 : 3600)));
	ok(gnutls_x509_crt_set_dn_by_oid(id.crt, GNUTLS_OID_X520_COMMON_NAME,
	    0, w.common_name, (unsigned)strlen(w.common_name)));
	if (w.dns != NULL)
		ok(gnutls_x509_crt_set_subject_alt_name(id.crt,
		    GNUTLS_SAN_DNSNAME, w.dns, (unsigned)strlen(w.dns), 0));
	ok(gnutls_x509_crt_set_ca_status(id.crt, w.issuer == NULL));
	ok(gnutls_x509_crt_set_key(id.crt, id.key));
	ok(gnutls_x509_crt_sign2(id.crt, w.issuer != NULL ? w.issuer->crt :
	    id.crt, w.issuer != NULL ? w.issuer->key : id.key,
	    GNUTLS_DIG_SHA256, 0));
	save(&id, w.name);
	return id;
}

static void
clear(struct id *id)
{
	gnutls_x509_crt_deinit(id->crt);
	gnutls_x509_privkey_deinit(id->key);
	g_free(id->crt_file);
	g_free(id->key_file);
}

static struct id ca, other_ca, server;

static int
make_ids(void **state)
{
	(void)state;
	dir = g_strdup("/tmp/test-http-tls-XXXXXX");
	if (g_mkdtemp(dir) == NULL)
		return -1;
	ca = make((struct wish){ "ca", "test CA", NULL, NULL, false });
	other_ca = make((struct wish){ "other-ca", "other CA", NULL, NULL,
		false });
	server = make((struct wish){ "server", "localhost", "localhost", &ca,
		false });
	return 0;
}

static int
remove_ids(void **state)
{
	g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
	const char *name;

	(void)state;
	clear(&ca);
	clear(&other_ca);
	clear(&server);
	while ((name = g_dir_read_name(d)) != NULL) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		unlink(path);
	}
	rmdir(dir);
	g_free(dir);
	return 0;
}

static void
init_tls(struct peer *p)
{
	peer_init(p);
	/* A handshake under valgrind or a busy machine takes its time. */
	p->conf.deadline_ms = 5000;
	p->conf.tls_certificate = server.crt_file;
	p->conf.tls_key = server.key_file;
}

/* A client session; NULL when the handshake fails. */
struct client {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	int fd;
};

static bool
client_open(struct client *c, const struct peer *p, const struct id *id,
    const char *priority)
{
	struct timeval limit = { 5, 0 };
	int r;

	c->fd = dial(p);
	assert_true(c->fd >= 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ok(gnutls_certificate_allocate_credentials(&c->cred));
	if (id != NULL)
		ok(gnutls_certificate_set_x509_key(c->cred,
		    (gnutls_x509_crt_t *)(uintptr_t)&id->crt, 1, id->key));
	/* Offer it whatever CAs the server names. */
	ok(gnutls_init(&c->tls, GNUTLS_CLIENT |
	    GNUTLS_FORCE_CLIENT_CERT));
	ok(gnutls_priority_set_direct(c->tls, priority, NULL));
	ok(gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->cred));
	gnutls_transport_set_int(c->tls, c->fd);
	do
		r = gnutls_handshake(c->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	return r >= 0;
}

static void
client_close(struct client *c)
{
	gnutls_deinit(c->tls);
	gnutls_certificate_free_credentials(c->cred);
	close(c->fd);
}

/* Up to the end, or to where `until` has been seen. */
static char *
client_talk(struct client *c, const char *text, const char *until)
{
	GString *all = g_string_new(NULL);
	char buf[1024];
	ssize_t n;

	gnutls_record_send(c->tls, text, strlen(text));
	do {
		n = gnutls_record_recv(c->tls, buf, sizeof(buf));
		if (n > 0)
			g_string_append_len(all, buf, n);
		if (until != NULL && strstr(all->str, until) != NULL)
			break;
	} while (n > 0 || n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
	return g_string_free(all, FALSE);
}

static int
status_with(const struct peer *p, const struct id *id)
{
	g_autofree char *all = NULL;
	struct client c;
	int status = -1;

	if (client_open(&c, p, id, "NORMAL")) {
		all = client_talk(&c, GET, NULL);
		status = status_of(all);
	}
	client_close(&c);
	return status;
}

static unsigned char
serial_of(struct client *c)
{
	const gnutls_datum_t *certs;
	gnutls_x509_crt_t crt;
	unsigned char out[32];
	size_t len = sizeof(out);
	unsigned n;

	certs = gnutls_certificate_get_peers(c->tls, &n);
	assert_non_null(certs);
	ok(gnutls_x509_crt_init(&crt));
	ok(gnutls_x509_crt_import(crt, &certs[0], GNUTLS_X509_FMT_DER));
	ok(gnutls_x509_crt_get_serial(crt, out, &len));
	gnutls_x509_crt_deinit(crt);
	return out[len - 1];
}

static void
requests_are_served_over_tls_1_2_and_1_3_and_nothing_older(void **state)
{
	static const struct {
		const char *priority;
		bool served;
	} rows[] = {
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.3", true },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2", true },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.1:%UNSAFE_RENEGOTIATION",
			false },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.0", false },
	};
	static const char *const server_priorities[] = { NULL,
		"NORMAL:+VERS-TLS1.1:+VERS-TLS1.0" };

	(void)state;
	for (size_t s = 0; s < G_N_ELEMENTS(server_priorities); s++) {
		struct peer p;

		init_tls(&p);
		p.conf.tls_priority = server_priorities[s];
		peer_start(&p);
		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			g_autofree char *all = NULL;
			struct client c;
			bool served = client_open(&c, &p, NULL,
			    rows[i].priority);

			if (served != rows[i].served)
				fail_msg("%s: %s", rows[i].priority,
				    served ? "served" : "refused");
			if (served) {
				all = client_talk(&c, GET, NULL);
				assert_int_equal(status_of(all), 200);
			}
			client_close(&c);
		}
		peer_clear(&p);
	}
}

static void
copy_id(const struct id *from, const struct id *to)
{
	g_autofree char *crt = NULL;
	g_autofree char *key = NULL;

	assert_true(g_file_get_contents(from->crt_file, &crt, NULL, NULL));
	assert_true(g_file_get_contents(from->key_file, &key, NULL, NULL));
	assert_true(g_file_set_contents(to->crt_file, crt, -1, NULL));
	assert_true(g_file_set_contents(to->key_file, key, -1, NULL));
	assert_int_equal(chmod(to->key_file, 0600), 0);
}

static void
a_reload_serves_the_new_certificate_and_keeps_open_connections(void **state)
{
	struct id in_use = make((struct wish){ "in-use", "one", NULL, &ca,
		false });
	unsigned char first = serial;
	struct id next = make((struct wish){ "next", "two", NULL, &ca,
		false });
	unsigned char second = serial;
	g_autofree char *again = NULL;
	struct err err = ERR_INIT;
	struct client before, after;
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_certificate = in_use.crt_file;
	p.conf.tls_key = in_use.key_file;
	peer_start(&p);
	assert_true(client_open(&before, &p, NULL, "NORMAL"));
	assert_int_equal(serial_of(&before), first);

	copy_id(&next, &in_use);
	for (int i = 0; i < 3; i++)
		assert_true(http_server_reload_tls(p.srv, &err));
	assert_true(client_open(&after, &p, NULL, "NORMAL"));
	assert_int_equal(serial_of(&after), second);
	again = client_talk(&before, GET_ON, "len=0:");
	assert_int_equal(status_of(again), 200);

	client_close(&before);
	client_close(&after);
	peer_clear(&p);
	clear(&in_use);
	clear(&next);
}

static void
a_reload_that_fails_leaves_the_old_certificate_in_use(void **state)
{
	struct id in_use = make((struct wish){ "held", "one", NULL, &ca,
		false });
	unsigned char first = serial;
	struct err err = ERR_INIT;
	struct client c;
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_certificate = in_use.crt_file;
	p.conf.tls_key = in_use.key_file;
	peer_start(&p);
	assert_true(g_file_set_contents(in_use.crt_file, "garbage", -1,
	    NULL));
	assert_false(http_server_reload_tls(p.srv, &err));
	assert_int_equal(err.kind, ERR_CONF);
	assert_string_equal(err.what, "http.tls");
	unlink(in_use.crt_file);
	assert_false(http_server_reload_tls(p.srv, &err));
	assert_true(client_open(&c, &p, NULL, "NORMAL"));
	assert_int_equal(serial_of(&c), first);
	client_close(&c);
	peer_clear(&p);
	clear(&in_use);
}

static void
unusable_files_are_refused_with_the_reason(void **state)
{
	struct id open_key = make((struct wish){ "open", "x", NULL, &ca,
		false });
	const struct {
		const char *law, *certificate, *key, *client_ca, *priority;
	} rows[] = {
		{ "the key of another", server.crt_file, ca.key_file, NULL,
			NULL },
		{ "no such certificate", "/nonexistent/x", server.key_file,
			NULL, NULL },
		{ "no such key", server.crt_file, "/nonexistent/x", NULL,
			NULL },
		{ "no key", server.crt_file, NULL, NULL, NULL },
		{ "a key that all may read", open_key.crt_file,
			open_key.key_file, NULL, NULL },
		{ "a key instead of the CA", server.crt_file,
			server.key_file, server.key_file, NULL },
		{ "no such CA", server.crt_file, server.key_file,
			"/nonexistent/x", NULL },
		{ "a priority that is none", server.crt_file,
			server.key_file, NULL, "NORMAL:+NONSENSE" },
	};

	(void)state;
	assert_int_equal(chmod(open_key.key_file, 0644), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct http_server *srv = NULL;
		struct err err = ERR_INIT;
		struct peer p;

		init_tls(&p);
		p.conf.tls_certificate = rows[i].certificate;
		p.conf.tls_key = rows[i].key;
		p.conf.tls_client_ca = rows[i].client_ca;
		p.conf.tls_priority = rows[i].priority;
		peer_listen(&p);
		if (http_server_new(&p.conf, NULL, NULL, &srv, &err))
			fail_msg("%s: taken", rows[i].law);
		assert_int_equal(err.kind, ERR_CONF);
		assert_string_equal(err.what, "http.tls");
		assert_true(err.text[0] != '\0');
		peer_clear(&p);
	}
	clear(&open_key);
}

static void
only_the_named_client_of_the_right_ca_reaches_the_application(void **state)
{
	struct id good = make((struct wish){ "good", META, NULL, &ca,
		false });
	struct id by_san = make((struct wish){ "san", "x", META, &ca,
		false });
	struct id wrong_name = make((struct wish){ "name", "evil.example",
		"other.example", &ca, false });
	struct id longer_name = make((struct wish){ "long", META ".evil.org",
		NULL, &ca, false });
	struct id wrong_ca = make((struct wish){ "ca2", META, META, &other_ca,
		false });
	struct id self = make((struct wish){ "self", META, META, NULL,
		false });
	struct id old = make((struct wish){ "old", META, META, &ca, true });
	const struct {
		const char *law;
		const struct id *id;
		int status;
	} rows[] = {
		{ "no certificate", NULL, 403 }, { "right", &good, 200 },
		{ "right by SAN", &by_san, 200 },
		{ "wrong name", &wrong_name, 403 },
		{ "longer name", &longer_name, 403 },
		{ "wrong CA", &wrong_ca, 403 }, { "self-signed", &self, 403 },
		{ "expired", &old, 403 },
	};
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_client_ca = ca.crt_file;
	p.conf.tls_client_name = META;
	peer_start(&p);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int got = status_with(&p, rows[i].id);

		if (got != rows[i].status)
			fail_msg("%s: want %d, got %d", rows[i].law,
			    rows[i].status, got);
	}
	assert_int_equal(atomic_load(&p.app.asked), 2);
	assert_int_equal(peer_stats(&p).tls_refused, 6);
	peer_clear(&p);
	clear(&good);
	clear(&by_san);
	clear(&wrong_name);
	clear(&longer_name);
	clear(&wrong_ca);
	clear(&self);
	clear(&old);
}

static void
without_a_name_any_client_of_the_ca_will_do(void **state)
{
	struct id any = make((struct wish){ "any", "anybody", NULL, &ca,
		false });
	struct id alien = make((struct wish){ "alien", "anybody", NULL,
		&other_ca, false });
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_client_ca = ca.crt_file;
	peer_start(&p);
	assert_int_equal(status_with(&p, &any), 200);
	assert_int_equal(status_with(&p, &alien), 403);
	assert_int_equal(status_with(&p, NULL), 403);
	peer_clear(&p);
	clear(&any);
	clear(&alien);
}

static void
an_optional_client_is_named_when_he_shows_a_good_certificate(void **state)
{
	struct id by_san = make((struct wish){ "o-san", "x", "crm.example",
		&ca, false });
	struct id by_cn = make((struct wish){ "o-cn", "Payments desk", NULL,
		&ca, false });
	struct id odd = make((struct wish){ "o-odd", "crm.example\nadmin",
		NULL, &ca, false });
	struct id alien = make((struct wish){ "o-ca2", "x", "crm.example",
		&other_ca, false });
	struct id old = make((struct wish){ "o-old", "x", "crm.example", &ca,
		true });
	const struct {
		const char *law;
		const struct id *id;
		int status;
		const char *client;
	} rows[] = {
		{ "no certificate", NULL, 200, NULL },
		{ "DNS name", &by_san, 200, "crm.example" },
		{ "common name", &by_cn, 200, "Payments desk" },
		{ "a name of two lines", &odd, 200, NULL },
		{ "wrong CA", &alien, 403, NULL },
		{ "expired", &old, 403, NULL },
	};
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_client_ca = ca.crt_file;
	p.conf.tls_client_optional = true;
	peer_start(&p);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int got = status_with(&p, rows[i].id);

		if (got != rows[i].status || (got == 200 &&
		    g_strcmp0(p.app.client, rows[i].client) != 0))
			fail_msg("%s: got %d %s", rows[i].law, got,
			    p.app.client);
	}
	assert_int_equal(atomic_load(&p.app.asked), 4);
	peer_clear(&p);
	clear(&by_san);
	clear(&by_cn);
	clear(&odd);
	clear(&alien);
	clear(&old);
}

static void
an_optional_client_who_shows_a_certificate_must_have_the_name(void **state)
{
	struct id good = make((struct wish){ "n-good", "x", "crm.example", &ca,
		false });
	struct id other = make((struct wish){ "n-other", "x", "evil.example",
		&ca, false });
	struct peer p;

	(void)state;
	init_tls(&p);
	p.conf.tls_client_ca = ca.crt_file;
	p.conf.tls_client_name = "crm.example";
	p.conf.tls_client_optional = true;
	peer_start(&p);
	assert_int_equal(status_with(&p, &good), 200);
	assert_int_equal(status_with(&p, &other), 403);
	assert_int_equal(status_with(&p, NULL), 200);
	peer_clear(&p);
	clear(&good);
	clear(&other);
}

static void
an_answer_of_another_thread_goes_out_over_tls(void **state)
{
	struct client c;
	struct peer p;

	(void)state;
	init_tls(&p);
	p.app.mode = APP_OTHER_RACE;
	peer_start(&p);
	assert_true(client_open(&c, &p, NULL, "NORMAL"));
	for (int i = 0; i < 50; i++) {
		g_autofree char *one = client_talk(&c, GET_ON, "race");

		assert_int_equal(status_of(one), 200);
	}
	assert_int_equal(atomic_load(&p.app.asked), 50);
	client_close(&c);
	assert_true(http_server_drain(p.srv, 2000));
	peer_clear(&p);
}

static void
a_handshake_that_never_ends_is_cut_at_the_deadline(void **state)
{
	/* the head of a TLS record of 512 bytes, and nothing more */
	static const unsigned char head[] = { 22, 3, 1, 2, 0 };
	int64_t begin = clock_mono_ms(), took;
	g_autofree char *all = NULL;
	struct peer p;
	int fd;

	(void)state;
	init_tls(&p);
	p.conf.deadline_ms = PEER_DEADLINE_MS;
	peer_start(&p);
	fd = dial(&p);
	dial_send(fd, head, sizeof(head));
	all = dial_read_all(fd, 2000);
	took = clock_mono_ms() - begin;
	close(fd);
	assert_non_null(all);
	assert_in_range(took, PEER_DEADLINE_MS - 5, PEER_DEADLINE_MS * 3);
	assert_int_equal(peer_stats(&p).late, 1);
	peer_clear(&p);
}

static void
plain_http_on_a_tls_port_gets_no_answer(void **state)
{
	g_autofree char *all = NULL;
	struct peer p;

	(void)state;
	init_tls(&p);
	peer_start(&p);
	all = talk(&p, GET);
	assert_int_equal(status_of(all), -1);
	assert_int_equal(atomic_load(&p.app.asked), 0);
	peer_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_served_over_tls_1_2_and_1_3_and_nothing_older),
		cmocka_unit_test(a_reload_serves_the_new_certificate_and_keeps_open_connections),
		cmocka_unit_test(a_reload_that_fails_leaves_the_old_certificate_in_use),
		cmocka_unit_test(unusable_files_are_refused_with_the_reason),
		cmocka_unit_test(only_the_named_client_of_the_right_ca_reaches_the_application),
		cmocka_unit_test(without_a_name_any_client_of_the_ca_will_do),
		cmocka_unit_test(an_optional_client_is_named_when_he_shows_a_good_certificate),
		cmocka_unit_test(an_optional_client_who_shows_a_certificate_must_have_the_name),
		cmocka_unit_test(an_answer_of_another_thread_goes_out_over_tls),
		cmocka_unit_test(a_handshake_that_never_ends_is_cut_at_the_deadline),
		cmocka_unit_test(plain_http_on_a_tls_port_gets_no_answer),
	};

	return cmocka_run_group_tests(tests, make_ids, remove_ids);
}
