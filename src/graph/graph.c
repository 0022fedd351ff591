/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Graph over libcurl: one request, one answer. Handles are kept with their
 * connections and lent to whoever asks. Nothing is ever sent to a host that
 * graph_host.c has not passed; no redirect, and no proxy or .netrc of the
 * environment is followed; a body is cut at its bound while it arrives. What
 * went wrong is in the error; nothing is tried twice in here.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "err.h"
#include "graph_curl.h"
#include "graph_int.h"
#include "graph_proxy.h"
#include "io.h"
#include "text.h"

/* The hosts of files refuse who does not say what he is. */
#define USER_AGENT "Mozilla/5.0 (compatible; chatjournal/" PACKAGE_VERSION ")"
#define BUFFER_SIZE 65536L
#define LOW_SPEED 64		/* bytes a second: no better than nothing */
#define TOKEN_MAX 4096
#define HEADER_MAX 4096

struct graph {
	char *origin;		/* https://host[:port] */
	char *version, *ca_file;
	struct graph_place home;
	GPtrArray *more;
	struct graph_proxy proxy;
	int64_t connect_ms, total_ms;
	char *authorization;
	struct curl_slist *headers;	/* read by all threads */
	atomic_bool cancelled;
	pthread_mutex_t lock;
	GQueue idle;		/* CURL *, guarded by lock */
};

struct call {
	struct graph *g;
	CURL *easy;
	enum graph_call what;
	int fd;			/* of a download */
	int64_t max, len;
	size_t answer_max;	/* of what is no file */
	int64_t total_ms;
	bool too_large, stalled;
	int64_t since_ms;	/* monotonic; 0: nothing was asked yet */
	int64_t since_bytes;	/* that had come by then */
	GString *answer;
	char *retry_after;
	struct err local;	/* the disk's */
	char errbuf[CURL_ERROR_SIZE];
};

void
graph_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- set-up ------------------------------------------------------------------ */

static bool
is_version(const char *s)
{
	size_t a, b;

	if (s[0] != 'v')
		return false;
	a = strspn(s + 1, "0123456789");
	if (a == 0 || s[1 + a] != '.')
		return false;
	b = strspn(s + 2 + a, "0123456789");
	return b > 0 && s[2 + a + b] == '\0';
}

static bool
set_home(struct graph *g, const char *url, struct err *err)
{
	struct err why = ERR_INIT;
	const char *path;

	if (!graph_place_parse(url, &g->home, &why))
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: url must look like https://graph.facebook.com");
	path = url + strlen("https://");
	path += strcspn(path, "/?#");
	if (*path != '\0' && strcmp(path, "/") != 0)
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: url ends with its host: remove \"%s\"", path);
	g->origin = g_strdup_printf("https://%s:%d", g->home.host,
	    g->home.port);
	return true;
}

static bool
set_hosts(struct graph *g, const GPtrArray *hosts, struct err *err)
{
	g->more = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; hosts != NULL && i < hosts->len; i++) {
		if (!graph_host_is_rule(hosts->pdata[i]))
			return err_set(err, ERR_CONF, "graph.conf",
			    "graph: media_host %s is no host name",
			    (const char *)hosts->pdata[i]);
		g_ptr_array_add(g->more, g_strdup(hosts->pdata[i]));
	}
	return true;
}

static bool
set_token(struct graph *g, const GBytes *token, struct err *err)
{
	gsize len = 0;
	const char *s = token == NULL ? NULL :
	    g_bytes_get_data((GBytes *)(uintptr_t)token, &len);
	GString *line;

	if (len == 0 || len > TOKEN_MAX)
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: the token is empty or too long to be one");
	for (gsize i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return err_set(err, ERR_CONF, "graph.conf",
			    "graph: the token has a blank or an odd "
			    "character in it; its file holds the token alone");
	}
	line = g_string_new("Authorization: Bearer ");
	g_string_append_len(line, s, (gssize)len);
	g->authorization = g_string_free(line, FALSE);
	g->headers = curl_slist_append(NULL, g->authorization);
	return g->headers != NULL || err_set(err, ERR_TEMP, "graph.conf",
	    "graph: out of memory");
}

static bool
set_up(struct graph *g, const struct graph_conf *conf, struct err *err)
{
	if (!is_version(conf->version))
		return err_set(err, ERR_CONF, "graph.conf",
		    "graph: version %s is none; one is v25.0", conf->version);
	g->version = g_strdup(conf->version);
	g->ca_file = g_strdup(conf->tls_ca_file);
	g->connect_ms = conf->connect_ms;
	g->total_ms = conf->total_ms;
	return set_home(g, conf->url, err) &&
	    set_hosts(g, conf->media_hosts, err) &&
	    graph_proxy_init(&g->proxy, conf, err) &&
	    set_token(g, conf->token, err);
}

bool
graph_new(const struct graph_conf *conf, struct graph **out, struct err *err)
{
	struct graph *g = g_new0(struct graph, 1);

	pthread_mutex_init(&g->lock, NULL);
	g_queue_init(&g->idle);
	if (!set_up(g, conf, err)) {
		graph_free(g);
		return false;
	}
	*out = g;
	return true;
}

static void
forget(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

void
graph_free(struct graph *g)
{
	CURL *easy;

	if (g == NULL)
		return;
	while ((easy = g_queue_pop_head(&g->idle)) != NULL)
		curl_easy_cleanup(easy);
	forget(g->authorization);
	if (g->headers != NULL)
		forget(g->headers->data);
	curl_slist_free_all(g->headers);
	g_free(g->authorization);
	if (g->more != NULL)
		g_ptr_array_unref(g->more);
	graph_proxy_clear(&g->proxy);
	graph_place_clear(&g->home);
	g_free(g->origin);
	g_free(g->version);
	g_free(g->ca_file);
	pthread_mutex_destroy(&g->lock);
	g_free(g);
}

void
graph_cancel(struct graph *g)
{
	atomic_store(&g->cancelled, true);
}

/* ---- handles ------------------------------------------------------------------- */

/* NULL when libcurl has none. */
static CURL *
borrow(struct graph *g)
{
	CURL *easy;

	pthread_mutex_lock(&g->lock);
	easy = g_queue_pop_head(&g->idle);
	pthread_mutex_unlock(&g->lock);
	return easy != NULL ? easy : curl_easy_init();
}

/* Its connections stay open, and nothing else of the call. */
static void
give_back(struct graph *g, CURL *easy)
{
	curl_easy_reset(easy);
	pthread_mutex_lock(&g->lock);
	g_queue_push_head(&g->idle, easy);
	pthread_mutex_unlock(&g->lock);
}

/* ---- what arrives ----------------------------------------------------------------- */

static bool
keep_answer(struct call *c, const char *data, size_t len)
{
	if (c->answer->len + len > c->answer_max) {
		c->too_large = true;
		return false;
	}
	g_string_append_len(c->answer, data, (gssize)len);
	return true;
}

static bool
keep_file(struct call *c, const char *data, size_t len)
{
	if ((int64_t)len > c->max - c->len) {
		c->too_large = true;
		return false;
	}
	c->len += (int64_t)len;
	return io_write_all(c->fd, data, len, &c->local);
}

static size_t
on_data(char *data, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	long status = 0;
	bool ok;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	ok = c->what == GRAPH_DOWNLOAD && status == 200 ?
	    keep_file(c, data, size * n) : keep_answer(c, data, size * n);
	return ok ? size * n : 0;
}

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "Retry-After:";
	struct call *c = arg;
	size_t len = size * n, skip = sizeof(name) - 1;

	if (len > skip && len < HEADER_MAX &&
	    g_ascii_strncasecmp(line, name, skip) == 0) {
		g_free(c->retry_after);
		c->retry_after = g_strstrip(g_strndup(line + skip,
		    len - skip));
	}
	return len;
}

/*
 * What stands still for as long as connecting may take is given up. (That of
 * libcurl looks at the last five seconds at least.)
 */
static bool
stands_still(struct call *c, int64_t bytes)
{
	int64_t now = clock_mono_ms(), ms = now - c->since_ms;
	curl_off_t asked = 0;

	if (c->since_ms == 0) {
		curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T,
		    &asked);
		c->since_ms = asked > 0 ? now : 0;
		return false;
	}
	if (ms < c->g->connect_ms)
		return false;
	c->stalled = (bytes - c->since_bytes) * 1000 < LOW_SPEED * ms;
	c->since_ms = now;
	c->since_bytes = bytes;
	return c->stalled;
}

static int
on_progress(void *arg, curl_off_t total, curl_off_t bytes, curl_off_t up_total,
    curl_off_t up)
{
	struct call *c = arg;

	(void)total;
	(void)up_total;
	(void)up;
	return atomic_load(&c->g->cancelled) || stands_still(c, bytes);
}

/* ---- one request -------------------------------------------------------------------- */

static void
set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

static void
set_tls(CURL *easy, const char *ca_file)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca_file == NULL)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	/* The built-in directory would be trusted besides. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

void
graph_easy_apply(const struct graph *g, CURL *easy)
{
	set_protocols(easy);
	graph_proxy_apply(&g->proxy, easy);
	set_tls(easy, g->ca_file);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)g->connect_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
}

bool
graph_is_cancelled(struct graph *g)
{
	return atomic_load(&g->cancelled);
}

const char *
graph_origin(const struct graph *g)
{
	return g->origin;
}

const char *
graph_version(const struct graph *g)
{
	return g->version;
}

int64_t
graph_total_ms(const struct graph *g)
{
	return g->total_ms;
}

struct curl_slist *
graph_headers(const struct graph *g)
{
	return g->headers;
}

static void
set_callbacks(struct call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->errbuf);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

/*
 * libcurl goes where its own parser says; that must be where ours said. The
 * very object that was looked at is the one it uses.
 */
static bool
aim(const struct graph *g, const char *url, CURLU **out, struct err *err)
{
	struct graph_place p;
	CURLU *u;
	char *host = NULL;
	bool ok;

	if (!graph_host_check(&g->home, g->more, url, err) ||
	    !graph_place_parse(url, &p, err))
		return false;
	u = curl_url();
	ok = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    g_ascii_strcasecmp(host, p.host) == 0;
	curl_free(host);
	graph_place_clear(&p);
	if (!ok) {
		curl_url_cleanup(u);
		return err_set(err, ERR_PERM, "graph.host",
		    "the address of the file is not one: nothing was sent "
		    "to it");
	}
	*out = u;
	return true;
}

static char *
what_libcurl_says(const char *errbuf, CURLcode res)
{
	char *said = text_clean(errbuf, strlen(errbuf), TEXT_LINE, 300);

	if (*said != '\0')
		return said;
	g_free(said);
	return g_strdup(curl_easy_strerror(res));
}

bool
graph_easy_failed(struct graph *g, CURL *easy, CURLcode res,
    const char *errbuf, struct err *err)
{
	g_autofree char *said = what_libcurl_says(errbuf, res);
	g_autofree char *text = graph_proxy_text(&g->proxy, easy, said);

	if (atomic_load(&g->cancelled))
		return err_set(err, ERR_TEMP, "graph.stopped",
		    "stopped in the middle");
	if (graph_proxy_failed(&g->proxy, easy, res, said, err))
		return false;
	switch ((int)res) {
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_TEMP, "graph.deadline", "%s", text);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_CONF, "graph.conf", "%s: see tls_ca",
		    said);
	default:
		return err_set(err, ERR_TEMP, "graph.network", "%s", text);
	}
}

static bool
fail_local(const struct call *c, CURLcode res, struct err *err)
{
	if (c->stalled && !atomic_load(&c->g->cancelled))
		return err_set(err, ERR_TEMP, "graph.deadline",
		    "%s sent next to nothing for %" G_GINT64_FORMAT " ms",
		    graph_who(c->what), c->g->connect_ms);
	return graph_easy_failed(c->g, c->easy, res, c->errbuf, err);
}

static bool
fail_size(const struct call *c, struct err *err)
{
	if (c->what != GRAPH_DOWNLOAD)
		return err_set(err, ERR_TEMP, "graph.server",
		    "the answer about the %s is longer than %zu bytes",
		    c->what == GRAPH_FIND ? "file" : "template",
		    c->answer_max);
	return err_set(err, ERR_PERM, "graph.size",
	    "the file is larger than %" G_GINT64_FORMAT " bytes: see max_size "
	    "in media", c->max);
}

static bool
fail_redirect(const struct call *c, long status, struct err *err)
{
	struct graph_place p = { 0 };
	char *to = NULL;

	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL || !graph_place_parse(to, &p, NULL))
		p.host = g_strdup("an address that cannot be read");
	err_set(err, ERR_PERM, "graph.host", "%s answers %ld, a redirect to "
	    "%s; it is not followed", graph_who(c->what), status, p.host);
	graph_place_clear(&p);
	return false;
}

/* A status says more than how the connection ended after it. */
static bool
judge(struct call *c, CURLcode res, struct err *err)
{
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (c->local.kind != ERR_NONE) {
		*err = c->local;
		return false;
	}
	if (status >= 300 && status < 400)
		return fail_redirect(c, status, err);
	if (status >= 400)
		return graph_answer_refused(c->what, status, c->answer->str,
		    c->answer->len, err);
	if (c->too_large || res == CURLE_FILESIZE_EXCEEDED)
		return fail_size(c, err);
	if (res != CURLE_OK)
		return fail_local(c, res, err);
	if (status != 200)
		return graph_answer_refused(c->what, status, "", 0, err);
	return true;
}

/* For a connection that ended while nobody looked, libcurl makes a new one. */
static bool
request(struct call *c, const char *url, struct err *err)
{
	CURLU *u = NULL;
	CURLcode res;

	if (!aim(c->g, url, &u, err))
		return false;
	curl_easy_setopt(c->easy, CURLOPT_CURLU, u);
	graph_easy_apply(c->g, c->easy);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)c->total_ms);
	set_callbacks(c);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->g->headers);
	if (c->what == GRAPH_DOWNLOAD)
		curl_easy_setopt(c->easy, CURLOPT_MAXFILESIZE_LARGE,
		    (curl_off_t)c->max);
	res = curl_easy_perform(c->easy);
	curl_easy_setopt(c->easy, CURLOPT_CURLU, NULL);
	curl_url_cleanup(u);
	return judge(c, res, err);
}

static bool
call(struct call *c, const char *url, int64_t *retry_ms, struct err *err)
{
	struct err why = ERR_INIT;
	bool ok;

	c->easy = borrow(c->g);
	if (c->easy == NULL)
		return err_set(err, ERR_TEMP, "graph.network",
		    "libcurl gave no handle");
	c->answer = g_string_new(NULL);
	ok = request(c, url, &why);
	if (retry_ms != NULL)
		*retry_ms = c->retry_after == NULL ? 0 :
		    graph_retry_after(c->retry_after, clock_now_ms());
	g_clear_pointer(&c->retry_after, g_free);
	give_back(c->g, c->easy);
	if (!ok && err != NULL)
		*err = why;
	return ok;
}

bool
graph_media_find(struct graph *g, const char *id, const char *phone_number_id,
    struct graph_media *out, int64_t *retry_ms, struct err *err)
{
	struct call c = { .g = g, .what = GRAPH_FIND,
		.answer_max = GRAPH_ANSWER_MAX, .total_ms = g->total_ms };
	bool with = phone_number_id != NULL && graph_is_id(phone_number_id);
	g_autofree char *url = NULL;
	bool ok;

	if (retry_ms != NULL)
		*retry_ms = 0;
	if (!graph_is_id(id))
		return err_set(err, ERR_PERM, "graph.id",
		    "what the event gives as the file's id cannot be one");
	url = g_strdup_printf("%s/%s/%s%s%s", g->origin, g->version, id,
	    with ? "?phone_number_id=" : "", with ? phone_number_id : "");
	ok = call(&c, url, retry_ms, err) && graph_answer_media(id,
	    c.answer->str, c.answer->len, out, err);
	if (c.answer != NULL)
		g_string_free(c.answer, TRUE);
	return ok;
}

bool
graph_ask_templates(struct graph *g, const char *url, int64_t total_ms,
    GString **answer, int64_t *retry_ms, struct err *err)
{
	struct call c = { .g = g, .what = GRAPH_TEMPLATES,
		.answer_max = GRAPH_TEMPLATES_MAX, .total_ms = total_ms };

	if (call(&c, url, retry_ms, err)) {
		*answer = c.answer;
		return true;
	}
	if (c.answer != NULL)
		g_string_free(c.answer, TRUE);
	return false;
}

bool
graph_download(struct graph *g, const char *url, int fd, int64_t max_bytes,
    int64_t *len, int64_t *retry_ms, struct err *err)
{
	struct call c = { .g = g, .what = GRAPH_DOWNLOAD, .fd = fd,
		.max = max_bytes, .answer_max = GRAPH_ANSWER_MAX,
		.total_ms = g->total_ms };
	bool ok;

	if (retry_ms != NULL)
		*retry_ms = 0;
	ok = call(&c, url, retry_ms, err);
	if (c.answer != NULL)
		g_string_free(c.answer, TRUE);
	if (ok)
		*len = c.len;
	return ok;
}
