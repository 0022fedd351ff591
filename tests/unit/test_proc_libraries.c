/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: the libraries that the roles use, each under the filter of its role.
 * A library that starts to use another system call is noticed here and not
 * when a role dies at a customer's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <gmime/gmime.h>
#include <gnutls/x509.h>
#include <libesmtp.h>
#include <magic.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"

typedef int deed_fn(void);

static int listener = -1;
static struct sockaddr_in addr;
static volatile sig_atomic_t done;
static char cert[8192], key[8192];	/* PEM */

static enum MHD_Result
answer(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **state)
{
	struct MHD_Response *r;
	enum MHD_Result ok;

	(void)arg;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)len;
	if (*state == NULL) {
		*state = &listener;
		return MHD_YES;
	}
	r = MHD_create_response_from_buffer(2, (void *)(uintptr_t)"ok",
	    MHD_RESPMEM_PERSISTENT);
	ok = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return ok;
}

static void
on_end(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode code)
{
	(void)arg;
	(void)c;
	(void)state;
	(void)code;
	done = 1;
}

/* As http does: a pool of epoll threads on a socket that was bound before. */
static int
serve(unsigned tls)
{
	struct MHD_OptionItem secret[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, key },
		{ MHD_OPTION_END, 0, NULL } };
	struct MHD_Daemon *d = MHD_start_daemon(tls |
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	    NULL, answer, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
	    MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_NOTIFY_COMPLETED,
	    on_end, NULL, MHD_OPTION_ARRAY, tls != 0 ? secret : secret + 2,
	    MHD_OPTION_END);

	if (d == NULL)
		return 1;
	for (int i = 0; i < 10000 && !done; i++)
		usleep(1000);
	MHD_stop_daemon(d);
	return done ? 0 : 2;
}

static int
serve_http(void)
{
	return serve(0);
}

static int
serve_https(void)
{
	return serve(MHD_USE_TLS);
}

static size_t
throw_away(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

/* By name: the resolver's thread, and what it asks of the system. */
static int
fetch(const char *scheme)
{
	CURL *c = curl_easy_init();
	struct curl_blob ca = { cert, strlen(cert), CURL_BLOB_COPY };
	char url[64];
	CURLcode rc;

	snprintf(url, sizeof(url), "%s://localhost:%d/", scheme,
	    ntohs(addr.sin_port));
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 10000L);
	curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, throw_away);
	rc = curl_easy_perform(c);
	curl_easy_cleanup(c);
	return (int)rc;
}

static int
call_http(void)
{
	return fetch("http");
}

static int
call_https(void)
{
	return fetch("https");
}

/* Nobody listens there: it resolves, connects and is refused. */
static int
call_with_libesmtp(void)
{
	smtp_session_t s = smtp_create_session();
	smtp_message_t m = smtp_add_message(s);
	int ok;

	smtp_set_server(s, "localhost:1");
	smtp_set_reverse_path(m, "a@example.com");
	smtp_add_recipient(m, "b@example.com");
	smtp_set_message_str(m, (void *)(uintptr_t)"Subject: x\r\n\r\nx\r\n");
	ok = smtp_start_session(s);
	smtp_destroy_session(s);
	return ok == 0 ? 0 : 1;
}

static int
render_with_gmime(void)
{
	GMimeMessage *m;
	char *text;
	bool ok;

	g_mime_init();
	m = g_mime_message_new(FALSE);
	g_mime_message_set_subject(m, "Ol\xc3\xa1", "iso-8859-1");
	text = g_mime_object_to_string(GMIME_OBJECT(m), NULL);
	ok = text != NULL && strstr(text, "=?iso-8859-1?") != NULL;
	g_free(text);
	g_object_unref(m);
	return ok ? 0 : 1;
}

/* Its table is read late, as in a worker of media. */
static int
look_with_libmagic(void)
{
	magic_t m = magic_open(MAGIC_MIME_TYPE);
	const char *type = NULL;
	int ok = 1;

	if (m != NULL && magic_load(m, NULL) == 0)
		type = magic_buffer(m, "%PDF-1.4\n", 9);
	if (type != NULL && strcmp(type, "application/pdf") == 0)
		ok = 0;
	magic_close(m);
	return ok;
}

/* --- children ---------------------------------------------------------- */

static pid_t
begin(unsigned rights, deed_fn *deed)
{
	struct proc_limits lim = { .sandbox = 0 };
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		if (!proc_enter(PROC_DELIVER, &lim, NULL) ||
		    !proc_confine(PROC_DELIVER, rights, &lim, NULL))
			_exit(99);
		_exit(deed());
	}
	return pid;
}

static int
end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* A sanitizer or valgrind does what no role does. */
static void
skip_if_instrumented(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (dlsym(RTLD_DEFAULT, "__asan_init") != NULL ||
	    (preload != NULL && strstr(preload, "valgrind") != NULL))
		skip();
}

static void
the_listener_serves_and_libcurl_calls_under_their_filters(void **state)
{
	pid_t server;

	(void)state;
	skip_if_instrumented();
	server = begin(PROC_LISTEN | PROC_THREADS | PROC_STORE_FILES,
	    serve_http);
	assert_int_equal(end_of(begin(PROC_CONNECT | PROC_STORE_FILES,
	    call_http)), 0);
	assert_int_equal(end_of(server), 0);
}

static void
tls_works_on_both_sides_under_their_filters(void **state)
{
	pid_t server;

	(void)state;
	skip_if_instrumented();
	server = begin(PROC_LISTEN | PROC_THREADS, serve_https);
	assert_int_equal(end_of(begin(PROC_CONNECT, call_https)), 0);
	assert_int_equal(end_of(server), 0);
}

static void
libesmtp_connects_under_the_filter_of_deliver(void **state)
{
	(void)state;
	skip_if_instrumented();
	assert_int_equal(end_of(begin(PROC_CONNECT, call_with_libesmtp)), 0);
}

static void
gmime_renders_under_the_filter_of_build(void **state)
{
	(void)state;
	skip_if_instrumented();
	assert_int_equal(end_of(begin(PROC_STORE_FILES, render_with_gmime)),
	    0);
}

static void
libmagic_looks_under_the_filter_of_media(void **state)
{
	(void)state;
	skip_if_instrumented();
	assert_int_equal(end_of(begin(PROC_CONNECT | PROC_STORE_FILES,
	    look_with_libmagic)), 0);
}

/* A key and its own certificate for localhost. */
static bool
make_certificate(void)
{
	size_t cert_size = sizeof(cert) - 1, key_size = sizeof(key) - 1;
	gnutls_x509_privkey_t k;
	gnutls_x509_crt_t c;
	bool ok;

	gnutls_x509_privkey_init(&k);
	gnutls_x509_crt_init(&c);
	ok = gnutls_x509_privkey_generate(k, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0 &&
	    gnutls_x509_crt_set_version(c, 3) == 0 &&
	    gnutls_x509_crt_set_serial(c, "1", 1) == 0 &&
	    gnutls_x509_crt_set_activation_time(c, 0) == 0 &&
	    gnutls_x509_crt_set_expiration_time(c, 4102444800) == 0 &&
	    gnutls_x509_crt_set_dn(c, "CN=localhost", NULL) == 0 &&
	    gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME,
	    "localhost", 9, 0) == 0 &&
	    gnutls_x509_crt_set_basic_constraints(c, 1, 0) == 0 &&
	    gnutls_x509_crt_set_key(c, k) == 0 &&
	    gnutls_x509_crt_sign2(c, c, k, GNUTLS_DIG_SHA256, 0) == 0 &&
	    gnutls_x509_crt_export(c, GNUTLS_X509_FMT_PEM, cert,
	    &cert_size) == 0 &&
	    gnutls_x509_privkey_export(k, GNUTLS_X509_FMT_PEM, key,
	    &key_size) == 0;
	gnutls_x509_crt_deinit(c);
	gnutls_x509_privkey_deinit(k);
	return ok;
}

/* One per test: a listener that MHD has served is shut down for all. */
static int
open_listener(void **state)
{
	socklen_t len = sizeof(addr);

	(void)state;
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = 0;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	return listener >= 0 &&
	    bind(listener, (struct sockaddr *)&addr, len) == 0 &&
	    listen(listener, 8) == 0 && getsockname(listener,
	    (struct sockaddr *)&addr, &len) == 0 ? 0 : 1;
}

static int
close_listener(void **state)
{
	(void)state;
	close(listener);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	return make_certificate() ? 0 : 1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_listener_serves_and_libcurl_calls_under_their_filters,
		    open_listener, close_listener),
		cmocka_unit_test_setup_teardown(
		    tls_works_on_both_sides_under_their_filters,
		    open_listener, close_listener),
		cmocka_unit_test(
		    libesmtp_connects_under_the_filter_of_deliver),
		cmocka_unit_test(gmime_renders_under_the_filter_of_build),
		cmocka_unit_test(libmagic_looks_under_the_filter_of_media),
	};

	return cmocka_run_group_tests_name("proc_libraries", tests, setup,
	    NULL);
}
