/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory: staff by a real slapd, on loopback, with authorities and people of
 * its own (tests/lib/slapd.sh). Skipped where there is no slapd.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "directory.h"
#include "err.h"
#include "../../src/directory/directory_int.h"

#define PATIENCE_MS 20000
#define READER "cn=reader,dc=bank"

static char *dir, *slapd;
static int ports[3];		/* ldap, ldaps, and one that is dead */
static pid_t server = -1;

/* ---- the server ---------------------------------------------------------- */

static void
die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static pid_t
run(const char *const argv[], const char *output)
{
	pid_t me = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		die_with(me);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static int
wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void
choose_ports(void)
{
	int fds[G_N_ELEMENTS(ports)];

	for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
		struct sockaddr_in a = loopback(0);
		socklen_t len = sizeof(a);

		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fds[i], (void *)&a, len), 0);
		assert_int_equal(getsockname(fds[i], (void *)&a, &len), 0);
		ports[i] = ntohs(a.sin_port);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
		close(fds[i]);
}

static bool
answers(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = connect(fd, (void *)&a, sizeof(a)) == 0;

	close(fd);
	return ok;
}

static void
stop(void)
{
	if (server <= 0)
		return;
	kill(server, SIGCONT);
	kill(server, SIGTERM);
	wait_for(server);
	server = -1;
}

static void
start(const char *name)
{
	g_autofree char *conf = g_strdup_printf("%s/%s.conf", dir, name);
	g_autofree char *log = g_strdup_printf("%s/log", dir);
	g_autofree char *urls = g_strdup_printf("ldap://127.0.0.1:%d%s",
	    ports[0], strcmp(name, "plain") == 0 ? "" : " ");
	g_autofree char *both = g_strdup_printf("%sldaps://127.0.0.1:%d",
	    urls, ports[1]);
	const char *argv[] = { slapd, "-f", conf, "-h",
		strcmp(name, "plain") == 0 ? urls : both, "-d", "stats", NULL };
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	stop();
	server = run(argv, log);
	while (!answers(ports[0])) {
		assert_true(clock_mono_ms() < until);
		poll(NULL, 0, 5);
	}
}

/* What the server says that it was asked, so far. */
static bool
was_told(const char *what)
{
	g_autofree char *log = g_strdup_printf("%s/log", dir), *text = NULL;

	assert_true(g_file_get_contents(log, &text, NULL, NULL));
	return strstr(text, what) != NULL;
}

static int
make_bed(void **state)
{
	g_autofree char *script = NULL, *output = NULL;
	g_autofree char *port = NULL;
	const char *argv[] = { "/bin/bash", NULL, NULL, NULL, NULL };

	(void)state;
	slapd = g_find_program_in_path("slapd");
	if (slapd == NULL && access("/usr/sbin/slapd", X_OK) == 0)
		slapd = g_strdup("/usr/sbin/slapd");
	if (slapd == NULL)
		return 0;
	dir = g_strdup("/tmp/test-ldap-XXXXXX");
	if (g_mkdtemp(dir) == NULL)
		return -1;
	script = g_build_filename(getenv("SRCDIR") != NULL ?
	    getenv("SRCDIR") : ".", "tests/lib/slapd.sh", NULL);
	output = g_build_filename(dir, "make.out", NULL);
	argv[1] = script;
	argv[2] = dir;
	choose_ports();
	argv[3] = port = g_strdup_printf("%d", ports[2]);
	return wait_for(run(argv, output));
}

static int
remove_bed(void **state)
{
	const char *argv[] = { "/bin/rm", "-rf", dir, NULL };

	(void)state;
	stop();
	if (dir != NULL)
		wait_for(run(argv, "/dev/null"));
	g_free(dir);
	g_free(slapd);
	return 0;
}

/* ---- the client ---------------------------------------------------------- */

struct client {
	struct ldap_conf conf;
	char *url, *ca;
	GBytes *password;
	struct ldap_source *source;
	struct directory_staff *staff;	/* found last */
	struct err err;
};

static void
init(struct client *c, const char *scheme)
{
	*c = (struct client){ 0 };
	c->url = g_strdup_printf("%s://127.0.0.1:%d", scheme,
	    ports[strcmp(scheme, "ldaps") == 0]);
	c->ca = g_strdup_printf("%s/tls/ca.pem", dir);
	c->password = g_bytes_new("sesame", 6);
	c->conf = (struct ldap_conf){ .url = c->url, .base = "dc=bank",
		.bind_dn = READER, .tls_ca_file = c->ca,
		.number_filter = "(|(telephoneNumber=%s)(mobile=%s))",
		.number_form = "+%s", .id_filter = "(employeeID=%s)",
		.attr_id = "employeeID", .attr_name = "displayName",
		.attr_mail = "mail", .attr_group = "memberOf",
		.timeout_ms = 10000 };
}

static void
make(struct client *c)
{
	struct err err = ERR_INIT;

	c->conf.password = c->password;
	if (!ldap_source_new(&c->conf, &c->source, &err))
		fail_msg("%s", err.text);
}

static void
clear(struct client *c)
{
	directory_staff_free(c->staff);
	ldap_source_free(c->source);
	g_bytes_unref(c->password);
	g_free(c->url);
	g_free(c->ca);
}

static bool
find(struct client *c, enum ldap_by by, const char *value)
{
	directory_staff_free(c->staff);
	c->staff = NULL;
	c->err = (struct err)ERR_INIT;
	if (c->source == NULL)
		make(c);
	return ldap_source_find(c->source, by, value, &c->staff, &c->err);
}

#define finds(c, by, value, want) \
	(assert_finds(c, by, value, want, __FILE__, __LINE__))

/* want: the id; NULL: nobody. */
static void
assert_finds(struct client *c, enum ldap_by by, const char *value,
    const char *want, const char *file, int line)
{
	if (!find(c, by, value)) {
		print_message("# %s:%d: %s: %s\n", file, line, c->err.what,
		    c->err.text);
		_fail(file, line);
	}
	if (g_strcmp0(c->staff != NULL ? c->staff->id : NULL, want) != 0) {
		print_message("# %s:%d: \"%s\" is not %s\n", file, line,
		    value, want);
		_fail(file, line);
	}
}

#define fails(c, kind, what) \
	(assert_fails(c, kind, what, __FILE__, __LINE__))

static void
assert_fails(struct client *c, enum err_kind kind, const char *what,
    const char *file, int line)
{
	bool ok = find(c, LDAP_BY_ID, "E2001");

	if (ok || c->err.kind != kind || strcmp(c->err.what, what) != 0) {
		print_message("# %s:%d: %s \"%s\" (%s) instead of %s\n", file,
		    line, ok ? "found" : err_kind_name(c->err.kind),
		    c->err.what, c->err.text, what);
		_fail(file, line);
	}
	assert_null(c->staff);
}

#define NEEDS_SLAPD() \
	do { \
		(void)state; \
		if (slapd == NULL) \
			skip(); \
	} while (0)

/* ---- who is found ---------------------------------------------------------- */

static void
check_person(struct client *c)
{
	static const char *const groups[] = { "Traders", "Private, Bankers",
		"Händler" };

	assert_string_equal(c->staff->id, "E2001");
	assert_string_equal(c->staff->name, "João Silva");
	assert_string_equal(c->staff->mail, "jsilva@bank.example");
	assert_true(c->staff->is_remote);
	assert_int_equal(c->staff->groups->len, G_N_ELEMENTS(groups));
	for (guint i = 0; i < G_N_ELEMENTS(groups); i++)
		assert_string_equal(c->staff->groups->pdata[i], groups[i]);
}

static void
find_by_all(const char *scheme)
{
	struct client c;

	init(&c, scheme);
	finds(&c, LDAP_BY_NUMBER, "551140040001", "E2001");
	check_person(&c);
	finds(&c, LDAP_BY_NUMBER, "5511999990001", "E2001");
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	check_person(&c);
	finds(&c, LDAP_BY_ID, "E2003", "E2003");
	assert_int_equal(c.staff->groups->len, 0);
	clear(&c);
}

static void
staff_is_found_by_number_and_by_id(void **state)
{
	NEEDS_SLAPD();
	start("good");
	find_by_all("ldap");
	assert_true(was_told("STARTTLS"));
	find_by_all("ldaps");
}

static void
who_is_in_many_groups_has_all_of_them(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	finds(&c, LDAP_BY_ID, "E2006", "E2006");
	assert_int_equal(c.staff->groups->len, 40);
	assert_string_equal(c.staff->groups->pdata[39], "Group 40");
	clear(&c);
}

static void
nobody_is_an_answer(void **state)
{
	struct client c;
	g_autofree char *huge = g_strnfill(100000, '*');

	NEEDS_SLAPD();
	init(&c, "ldap");
	finds(&c, LDAP_BY_ID, "E9999", NULL);
	finds(&c, LDAP_BY_NUMBER, "999", NULL);
	finds(&c, LDAP_BY_ID, "", NULL);
	finds(&c, LDAP_BY_ID, huge, NULL);
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	clear(&c);
}

static void
several_that_fit_are_said_and_none_is_chosen(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	assert_false(find(&c, LDAP_BY_NUMBER, "442079460003"));
	assert_string_equal(c.err.what, "ldap.several");
	assert_int_equal(c.err.kind, ERR_PERM);
	assert_null(c.staff);
	finds(&c, LDAP_BY_ID, "E2005", "E2005");
	clear(&c);
}

static void
what_is_asked_for_is_never_a_filter(void **state)
{
	static const char *const values[] = { "*", "E200*", "*)(uid=*",
		"E2001)(uid=*", "E2001)(|(uid=*", ")(", "\\2a", "\\", "(", "&",
		"|(uid=jsilva)", "E2001\\00", "\x01\x7f\xff", "E2001\n" };
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		finds(&c, LDAP_BY_ID, values[i], NULL);
		finds(&c, LDAP_BY_NUMBER, values[i], NULL);
	}
	finds(&c, LDAP_BY_ID, "E(2)*\\", "E(2)*\\");
	assert_string_equal(c.staff->name, "Odd (One*)\\");
	clear(&c);
}

static void
forms_and_attributes_are_as_configured(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	c.conf.number_form = "+%s";
	c.conf.number_filter = "(&(objectClass=person)(telephoneNumber=%s))";
	c.conf.id_filter = "(uid=%s)";
	c.conf.attr_id = "uid";
	c.conf.attr_name = "sn";
	c.conf.attr_mail = "postalAddress";
	c.conf.attr_group = "cn";
	finds(&c, LDAP_BY_ID, "mbrown", "mbrown");
	assert_string_equal(c.staff->name, "Brown");
	assert_null(c.staff->mail);
	assert_string_equal(c.staff->groups->pdata[0], "Mary Brown");
	finds(&c, LDAP_BY_NUMBER, "442079460001", "mbrown");
	finds(&c, LDAP_BY_NUMBER, "447700900001", NULL);
	clear(&c);
	init(&c, "ldap");
	c.conf.id_filter = "(uid=jsilva)";
	assert_false(ldap_source_new(&c.conf, &c.source, &c.err));
	assert_string_equal(c.err.what, "ldap.filter");
	clear(&c);
}

/* ---- groups in groups ------------------------------------------------------- */

static void
assert_groups(enum ldap_nested nested, const char *base, const char *want)
{
	struct client c;
	g_autofree char *got = NULL;

	init(&c, "ldap");
	c.conf.nested = nested;
	c.conf.group_base = base;
	finds(&c, LDAP_BY_ID, "E2007", "E2007");
	g_ptr_array_add(c.staff->groups, NULL);
	got = g_strjoinv("|", (char **)c.staff->groups->pdata);
	assert_string_equal(got, want);
	clear(&c);
}

static void
groups_of_groups_are_found_and_a_loop_of_them_ends(void **state)
{
	static const char all[] = "Desk (A)|Floor|Ring 1|Ring 2";

	NEEDS_SLAPD();
	assert_groups(LDAP_NESTED_OFF, NULL, "Desk (A)");
	assert_groups(LDAP_NESTED_MEMBER_OF, NULL, all);
	assert_groups(LDAP_NESTED_MEMBER, NULL, all);
	assert_groups(LDAP_NESTED_MEMBER, "ou=groups,dc=bank", all);
	assert_groups(LDAP_NESTED_MEMBER, "ou=people,dc=bank", "Desk (A)");
}

static void
who_is_in_no_group_is_in_none_of_groups(void **state)
{
	NEEDS_SLAPD();
	for (int n = LDAP_NESTED_OFF; n <= LDAP_NESTED_MEMBER; n++) {
		struct client c;

		init(&c, "ldap");
		c.conf.nested = (enum ldap_nested)n;
		finds(&c, LDAP_BY_ID, "E2003", "E2003");
		assert_int_equal(c.staff->groups->len, 0);
		finds(&c, LDAP_BY_ID, "E9999", NULL);
		clear(&c);
	}
}

static void
groups_that_are_not_there_lead_no_further(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	c.conf.nested = LDAP_NESTED_MEMBER_OF;
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	assert_int_equal(c.staff->groups->len, 3);
	c.conf.attr_group = "cn";
	ldap_source_free(c.source);
	c.source = NULL;
	finds(&c, LDAP_BY_ID, "E2002", "E2002");
	assert_string_equal(c.staff->groups->pdata[0], "Mary Brown");
	clear(&c);
}

static void
of_groups_too_deep_nothing_is_known_rather_than_half(void **state)
{
	NEEDS_SLAPD();
	for (int n = LDAP_NESTED_MEMBER_OF; n <= LDAP_NESTED_MEMBER; n++) {
		struct client c;

		init(&c, "ldap");
		c.conf.nested = (enum ldap_nested)n;
		assert_false(find(&c, LDAP_BY_ID, "E2008"));
		assert_int_equal(c.err.kind, ERR_PERM);
		assert_string_equal(c.err.what, "ldap.groups");
		assert_null(c.staff);
		finds(&c, LDAP_BY_ID, "E2007", "E2007");
		clear(&c);
	}
}

/* slapd does not know the rule: it finds nothing, and that is no error. */
static void
active_directory_is_asked_to_follow_the_chain(void **state)
{
	g_autofree char *filter = ldap_groups_filter(LDAP_NESTED_IN_CHAIN,
	    "CN=Li (HK)\\, Jö*,OU=Staff,DC=bank");

	assert_string_equal(filter, "(member:1.2.840.113556.1.4.1941:="
	    "CN=Li \\28HK\\29\\5c, J\\c3\\b6\\2a,OU=Staff,DC=bank)");
	NEEDS_SLAPD();
	assert_groups(LDAP_NESTED_IN_CHAIN, "ou=groups,dc=bank", "Desk (A)");
	assert_true(was_told("SRCH base=\"ou=groups,dc=bank\" scope=2"));
}

/* ---- who is believed -------------------------------------------------------- */

static void
refuse_tls(const char *scheme, const char *what)
{
	struct client c;

	init(&c, scheme);
	fails(&c, ERR_CONF, what);
	clear(&c);
}

static void
a_server_that_does_not_prove_its_name_is_told_nothing(void **state)
{
	static const char *const confs[] = { "strange", "named", "expired" };

	NEEDS_SLAPD();
	for (size_t i = 0; i < G_N_ELEMENTS(confs); i++) {
		start(confs[i]);
		refuse_tls("ldap", "ldap.tls");
		refuse_tls("ldaps", "ldap.tls");
		assert_false(was_told(" BIND "));
		assert_false(was_told("SRCH"));
	}
}

static void
authorities_that_cannot_be_read_are_said(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	start("good");
	init(&c, "ldaps");
	c.conf.tls_ca_file = "/nowhere/ca.pem";
	fails(&c, ERR_CONF, "ldap.tls");
	clear(&c);
	/* Those of the system did not sign it. */
	init(&c, "ldaps");
	c.conf.tls_ca_file = NULL;
	fails(&c, ERR_CONF, "ldap.tls");
	clear(&c);
	assert_false(was_told(" BIND "));
}

static void
without_tls_nothing_is_said(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	start("plain");
	refuse_tls("ldap", "ldap.tls");
	init(&c, "ldap");
	g_free(c.url);
	c.conf.url = c.url = g_strdup_printf("ldaps://127.0.0.1:%d", ports[0]);
	assert_false(find(&c, LDAP_BY_ID, "E2001"));
	clear(&c);
	assert_false(was_told(" BIND "));
	assert_false(was_told("SRCH"));
}

static void
tls_1_1_is_too_old(void **state)
{
	NEEDS_SLAPD();
	start("old");
	refuse_tls("ldap", "ldap.tls");
	refuse_tls("ldaps", "ldap.tls");
	assert_false(was_told(" BIND "));
}

static void
a_wrong_login_is_said(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	start("good");
	init(&c, "ldap");
	g_bytes_unref(c.password);
	c.password = g_bytes_new("wrong", 5);
	fails(&c, ERR_CONF, "ldap.auth");
	clear(&c);
	init(&c, "ldaps");
	c.conf.bind_dn = "cn=stranger,dc=bank";
	fails(&c, ERR_CONF, "ldap.auth");
	clear(&c);
}

static void
an_empty_password_is_never_sent(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	start("open");
	init(&c, "ldap");
	g_bytes_unref(c.password);
	c.password = g_bytes_new("", 0);
	fails(&c, ERR_CONF, "ldap.auth");
	assert_false(was_told(" BIND "));
	clear(&c);
}

static void
without_a_login_it_is_asked_as_nobody(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	c.conf.bind_dn = NULL;
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	clear(&c);
	start("good");
	init(&c, "ldap");
	c.conf.bind_dn = NULL;
	fails(&c, ERR_CONF, "ldap.auth");
	clear(&c);
}

static void
a_wrong_base_or_filter_is_said(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	c.conf.base = "dc=nowhere";
	assert_false(find(&c, LDAP_BY_ID, "E2001"));
	assert_string_equal(c.err.what, "ldap.filter");
	clear(&c);
	init(&c, "ldap");
	c.conf.base = "no base";
	fails(&c, ERR_CONF, "ldap.filter");
	clear(&c);
	init(&c, "ldap");
	c.conf.id_filter = "(employeeID=%s";
	fails(&c, ERR_CONF, "ldap.filter");
	clear(&c);
}

static int
listen_at(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void
referrals_are_not_followed(void **state)
{
	struct client c;
	int fd;

	NEEDS_SLAPD();
	start("good");
	fd = listen_at(ports[2]);
	init(&c, "ldap");
	/* The whole tree has one: it is passed over. */
	finds(&c, LDAP_BY_ID, "E2002", "E2002");
	finds(&c, LDAP_BY_ID, "E9999", NULL);
	clear(&c);
	init(&c, "ldap");
	c.conf.base = "ou=elsewhere,dc=bank";
	fails(&c, ERR_CONF, "ldap.filter");
	clear(&c);
	assert_true(accept(fd, NULL, NULL) < 0);
	close(fd);
}

/* ---- when it does not answer --------------------------------------------------- */

static void
a_server_that_is_down_is_asked_again(void **state)
{
	struct client c[2];

	NEEDS_SLAPD();
	stop();
	init(&c[0], "ldap");
	init(&c[1], "ldaps");
	for (int i = 0; i < 2; i++)
		fails(&c[i], ERR_TEMP, "ldap.down");
	start("good");
	for (int i = 0; i < 2; i++)
		finds(&c[i], LDAP_BY_ID, "E2001", "E2001");
	stop();
	for (int i = 0; i < 2; i++)
		fails(&c[i], ERR_TEMP, "ldap.down");
	start("good");
	for (int i = 0; i < 2; i++) {
		finds(&c[i], LDAP_BY_ID, "E2001", "E2001");
		clear(&c[i]);
	}
}

static void
a_connection_that_was_lost_is_made_anew(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	start("good");
	finds(&c, LDAP_BY_ID, "E2002", "E2002");
	start("strange");
	fails(&c, ERR_CONF, "ldap.tls");
	start("good");
	finds(&c, LDAP_BY_ID, "E2003", "E2003");
	clear(&c);
}

/* All of its threads: that takes a moment. */
static void
freeze(void)
{
	int status;

	kill(server, SIGSTOP);
	assert_int_equal(waitpid(server, &status, WUNTRACED), server);
	assert_true(WIFSTOPPED(status));
}

static void
check_slow(struct client *c)
{
	int64_t since = clock_mono_ms();

	fails(c, ERR_TEMP, "ldap.timeout");
	/* Two tries where one was kept, each of several steps. */
	assert_in_range(clock_mono_ms() - since, 190, 5000);
}

static void
a_server_that_is_slow_is_not_waited_for(void **state)
{
	static const char *const schemes[] = { "ldap", "ldaps" };
	struct client kept, fresh;

	NEEDS_SLAPD();
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		start("good");
		init(&kept, schemes[i]);
		init(&fresh, schemes[i]);
		finds(&kept, LDAP_BY_ID, "E2001", "E2001");
		clear(&kept);
		init(&kept, schemes[i]);
		kept.conf.timeout_ms = 1000;
		finds(&kept, LDAP_BY_ID, "E2001", "E2001");
		fresh.conf.timeout_ms = 200;
		freeze();
		check_slow(&fresh);
		check_slow(&kept);
		kill(server, SIGCONT);
		finds(&kept, LDAP_BY_ID, "E2001", "E2001");
		clear(&kept);
		clear(&fresh);
	}
}

static void *
cut_soon(void *source)
{
	poll(NULL, 0, 100);
	ldap_source_cut(source);
	return NULL;
}

static void
what_is_under_way_can_be_cut_off(void **state)
{
	int64_t since;
	struct client c;
	pthread_t thread;

	NEEDS_SLAPD();
	start("good");
	init(&c, "ldaps");
	c.conf.timeout_ms = PATIENCE_MS;
	make(&c);
	freeze();
	since = clock_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, cut_soon, c.source),
	    0);
	assert_false(find(&c, LDAP_BY_ID, "E2001"));
	assert_true(clock_mono_ms() - since < PATIENCE_MS / 2);
	pthread_join(thread, NULL);
	kill(server, SIGCONT);
	assert_false(find(&c, LDAP_BY_ID, "E2001"));
	clear(&c);
}

static void
of_several_servers_one_that_answers_is_asked(void **state)
{
	struct client c;

	NEEDS_SLAPD();
	init(&c, "ldap");
	g_free(c.url);
	c.conf.url = c.url = g_strdup_printf("ldap://127.0.0.1:%d "
	    " ldaps://127.0.0.1:%d", ports[2], ports[1]);
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	stop();
	fails(&c, ERR_TEMP, "ldap.down");
	start("good");
	finds(&c, LDAP_BY_ID, "E2001", "E2001");
	clear(&c);
}

static void
a_thousand_are_asked_for_on_one_connection(void **state)
{
	struct client c;
	int64_t since;

	NEEDS_SLAPD();
	start("good");
	init(&c, "ldap");
	since = clock_mono_ms();
	for (int i = 0; i < 500; i++) {
		finds(&c, LDAP_BY_ID, "E2001", "E2001");
		finds(&c, LDAP_BY_NUMBER, "12345", NULL);
	}
	print_message("# 1,000 searches in %d ms\n",
	    (int)(clock_mono_ms() - since));
	clear(&c);
	assert_true(was_told("conn=1001 "));
	assert_false(was_told("conn=1002 "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(staff_is_found_by_number_and_by_id),
		cmocka_unit_test(who_is_in_many_groups_has_all_of_them),
		cmocka_unit_test(nobody_is_an_answer),
		cmocka_unit_test(several_that_fit_are_said_and_none_is_chosen),
		cmocka_unit_test(what_is_asked_for_is_never_a_filter),
		cmocka_unit_test(forms_and_attributes_are_as_configured),
		cmocka_unit_test(groups_of_groups_are_found_and_a_loop_of_them_ends),
		cmocka_unit_test(who_is_in_no_group_is_in_none_of_groups),
		cmocka_unit_test(groups_that_are_not_there_lead_no_further),
		cmocka_unit_test(of_groups_too_deep_nothing_is_known_rather_than_half),
		cmocka_unit_test(active_directory_is_asked_to_follow_the_chain),
		cmocka_unit_test(
		    a_server_that_does_not_prove_its_name_is_told_nothing),
		cmocka_unit_test(authorities_that_cannot_be_read_are_said),
		cmocka_unit_test(without_tls_nothing_is_said),
		cmocka_unit_test(tls_1_1_is_too_old),
		cmocka_unit_test(a_wrong_login_is_said),
		cmocka_unit_test(an_empty_password_is_never_sent),
		cmocka_unit_test(without_a_login_it_is_asked_as_nobody),
		cmocka_unit_test(a_wrong_base_or_filter_is_said),
		cmocka_unit_test(referrals_are_not_followed),
		cmocka_unit_test(a_server_that_is_down_is_asked_again),
		cmocka_unit_test(a_connection_that_was_lost_is_made_anew),
		cmocka_unit_test(a_server_that_is_slow_is_not_waited_for),
		cmocka_unit_test(what_is_under_way_can_be_cut_off),
		cmocka_unit_test(of_several_servers_one_that_answers_is_asked),
		cmocka_unit_test(a_thousand_are_asked_for_on_one_connection),
	};

	signal(SIGPIPE, SIG_IGN);	/* as in all roles */
	return cmocka_run_group_tests_name("directory_ldap", tests, make_bed,
	    remove_bed);
}
