/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: the ritual. Each case is a child that enters, is confined, and then
 * does one thing; what its end tells is the result.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "proc.h"

enum { ENFORCE, LOG, OFF };

/* A deed returns 0 when it worked. */
typedef int deed_fn(void);

static char dir[] = "/tmp/chatjournal-ritual-XXXXXX";
static int listener = -1;	/* bound before the ritual, as a role does */
static struct sockaddr_in listen_addr;

/* --- what children do -------------------------------------------------- */

static char *
in_dir(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static int
commit_with_sqlite(void)
{
	g_autofree char *path = in_dir("x.db");
	sqlite3 *db = NULL;
	bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA journal_mode=WAL; "
	    "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; "
	    "CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t VALUES(1); COMMIT;"
	    "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA quick_check; VACUUM;",
	    NULL, NULL, NULL) == SQLITE_OK;

	return sqlite3_close(db) == SQLITE_OK && ok ? 0 : 1;
}

static int
read_with_sqlite(void)
{
	g_autofree char *path = in_dir("x.db");
	sqlite3 *db = NULL;
	bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ==
	    SQLITE_OK && sqlite3_exec(db, "SELECT count(*) FROM t", NULL,
	    NULL, NULL) == SQLITE_OK;

	sqlite3_close(db);
	return ok ? 0 : 1;
}

static int
publish_a_file(void)
{
	g_autofree char *tmp = in_dir("tmp");
	g_autofree char *new = in_dir("new");
	struct err err = ERR_INIT;

	return io_mkdir_all(tmp, &err) && io_mkdir_all(new, &err) &&
	    io_publish(tmp, new, "m", "hello", 5, &err) ? 0 : 1;
}

static void *
thread_main(void *arg)
{
	g_autofree char *grown = g_strnfill(1 << 20, 'x');

	pthread_setname_np(pthread_self(), "worker");
	return grown[0] == 'x' ? arg : NULL;
}

static int
run_a_thread(void)
{
	pthread_t t;
	void *result = NULL;

	if (pthread_create(&t, NULL, thread_main, dir) != 0)
		return 1;
	return pthread_join(t, &result) == 0 && result == dir ? 0 : 1;
}

static int
convert_with_iconv(void)
{
	gsize n;
	g_autofree char *out = g_convert("\xc3\xa9", 2, "ISO-8859-15", "UTF-8",
	    NULL, &n, NULL);

	return out != NULL && n == 1 ? 0 : 1;
}

static int
use_the_base(void)
{
	struct pollfd p = { eventfd(1, EFD_CLOEXEC), POLLIN, 0 };
	struct rlimit lim;
	unsigned char byte;

	if (poll(&p, 1, 0) != 1 || getrlimit(RLIMIT_NOFILE, &lim) != 0 ||
	    getentropy(&byte, 1) != 0 || clock_mono_ms() == 0)
		return 1;
	free(memset(malloc(8 << 20), 1, 8 << 20));
	usleep(10);
	return convert_with_iconv();
}

/* nscd is asked over a Unix socket first; the files are read after that. */
static int
look_up_a_user(void)
{
	return getpwnam("root") != NULL ? 0 : 1;
}

static int
accept_a_connection(void)
{
	char byte = 0;
	int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	return fd >= 0 && recv(fd, &byte, 1, 0) == 1 &&
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0 &&
	    send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
	    shutdown(fd, SHUT_RDWR) == 0 ? 0 : 1;
}

static int
connect_by_name(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *res = NULL;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (getaddrinfo("localhost", "25", &hints, &res) == 0)
		freeaddrinfo(res);
	return fd >= 0 && connect(fd, (struct sockaddr *)&listen_addr,
	    sizeof(listen_addr)) == 0 ? 0 : 1;
}

static int
execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int
fork_a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static int
open_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : 1;
}

/* Any port will do. */
static int
listen_oneself(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && listen(fd, 1) == 0 ? 0 : 1;
}

static int
listen_more(void)
{
	return listen(listener, 100) == 0 ? 0 : 1;
}

static int
open_a_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 ? 0 : 1;
}

static int
create_a_file(void)
{
	g_autofree char *path = in_dir("made");

	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ? 0 : 1;
}

static int
remove_a_file(void)
{
	g_autofree char *path = in_dir("none");

	return unlink(path) == 0 || errno == ENOENT ? 0 : 1;
}

static int
trace(void)
{
	ptrace(PTRACE_PEEKUSER, getppid(), NULL, NULL);
	return 0;
}

static int
kill_the_parent(void)
{
	return kill(getppid(), 0) == 0 || errno == EPERM ? 0 : 1;
}

static int
raise_a_limit(void)
{
	const struct rlimit lim = { 1, 1 };

	return setrlimit(RLIMIT_CORE, &lim) == 0 || errno == EPERM ? 0 : 1;
}

static int
use_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
	return 0;
}

/* --- children ---------------------------------------------------------- */

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t
begin(int mode, unsigned rights, deed_fn *deed)
{
	struct proc_limits lim = { .user = NULL, .sandbox = mode };
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(30);
		if (!proc_enter(PROC_BUILD, &lim, NULL) ||
		    !proc_confine(PROC_BUILD, rights, &lim, NULL))
			_exit(99);
		_exit(deed());
	}
	return pid;
}

static int
end_of(int mode, unsigned rights, deed_fn *deed)
{
	return status_of(begin(mode, rights, deed));
}

#define DIES(rights, deed) assert_int_equal(end_of(ENFORCE, rights, deed), -SIGSYS)
#define WORKS(rights, deed) assert_int_equal(end_of(ENFORCE, rights, deed), 0)

/* A sanitizer or valgrind does what no role does. */
static bool
is_instrumented(void)
{
	const char *preload = getenv("LD_PRELOAD");

#if defined(__SANITIZE_ADDRESS__)
	return true;
#endif
	return dlsym(RTLD_DEFAULT, "__asan_init") != NULL ||
	    (preload != NULL && strstr(preload, "valgrind") != NULL);
}

#define NEEDS_SECCOMP()			\
	do {				\
		(void)state;		\
		if (is_instrumented())	\
			skip();		\
	} while (0)

/* --- tests ------------------------------------------------------------- */

static void
every_role_can_compute_wait_and_read(void **state)
{
	NEEDS_SECCOMP();
	WORKS(0, use_the_base);
	WORKS(0, look_up_a_user);
}

static void
the_right_to_store_files_is_enough_for_sqlite_and_for_publishing(void **state)
{
	NEEDS_SECCOMP();
	WORKS(PROC_STORE_FILES, commit_with_sqlite);
	WORKS(PROC_STORE_FILES, publish_a_file);
	WORKS(PROC_STORE_FILES, read_with_sqlite);
}

static void
threads_need_the_right_to_threads(void **state)
{
	NEEDS_SECCOMP();
	WORKS(PROC_THREADS, run_a_thread);
	WORKS(PROC_CONNECT, run_a_thread);
	DIES(PROC_STORE_FILES, run_a_thread);
}

static void
a_listening_role_accepts_but_cannot_open_a_socket(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 'x';
	pid_t pid;

	NEEDS_SECCOMP();
	pid = begin(ENFORCE, PROC_LISTEN, accept_a_connection);
	assert_int_equal(connect(fd, (struct sockaddr *)&listen_addr,
	    sizeof(listen_addr)), 0);
	assert_int_equal(send(fd, &byte, 1, 0), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	assert_int_equal(status_of(pid), 0);
	close(fd);
	DIES(PROC_LISTEN, open_a_socket);
}

static void
nobody_makes_a_socket_listen(void **state)
{
	NEEDS_SECCOMP();
	DIES(PROC_LISTEN, listen_more);
	DIES(PROC_CONNECT | PROC_LISTEN, listen_more);
	DIES(PROC_CONNECT | PROC_LISTEN, listen_oneself);
}

static void
a_connecting_role_resolves_and_connects(void **state)
{
	NEEDS_SECCOMP();
	WORKS(PROC_CONNECT, connect_by_name);
	DIES(PROC_CONNECT, open_a_raw_socket);
}

static void
a_role_without_network_dies_when_it_opens_a_socket(void **state)
{
	NEEDS_SECCOMP();
	DIES(PROC_STORE_FILES | PROC_THREADS, open_a_socket);
}

static void
a_role_without_files_dies_when_it_creates_or_removes_one(void **state)
{
	NEEDS_SECCOMP();
	DIES(PROC_CONNECT | PROC_LISTEN, create_a_file);
	DIES(PROC_CONNECT | PROC_LISTEN, remove_a_file);
}

static void
nobody_may_execute_fork_trace_or_signal_others(void **state)
{
	const unsigned all = PROC_STORE_FILES | PROC_LISTEN | PROC_CONNECT |
	    PROC_THREADS;

	NEEDS_SECCOMP();
	DIES(all, execute);
	DIES(all, fork_a_process);
	DIES(all, trace);
	DIES(all, kill_the_parent);
	DIES(all, raise_a_limit);
	DIES(all, use_io_uring);
}

static void
in_log_mode_what_is_denied_is_done_all_the_same(void **state)
{
	NEEDS_SECCOMP();
	assert_int_equal(end_of(LOG, 0, execute), 0);
	assert_int_equal(end_of(LOG, 0, open_a_socket), 0);
	assert_int_equal(end_of(LOG, 0, fork_a_process), 0);
}

static void
off_means_that_no_filter_is_loaded(void **state)
{
	(void)state;
	assert_int_equal(end_of(OFF, 0, fork_a_process), 0);
	assert_int_equal(end_of(OFF, 0, create_a_file), 0);
}

/* After proc_enter(): everything that must be gone is gone. */
static int
look_at_oneself(void)
{
	struct rlimit core;
	mode_t mask = umask(0);
	char cwd[8], name[16];

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return 2;
	if (mask != 077 || getcwd(cwd, sizeof(cwd)) == NULL ||
	    strcmp(cwd, "/") != 0)
		return 3;
	if ((fcntl(listener, F_GETFD) & FD_CLOEXEC) == 0)
		return 4;
	if (!is_instrumented() && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 5;
	if (prctl(PR_GET_NAME, name) != 0 || strcmp(name, "cj-build") != 0)
		return 6;
	return 0;
}

static void
a_role_that_entered_has_no_core_no_new_rights_and_no_strays(void **state)
{
	(void)state;
	fcntl(listener, F_SETFD, 0);
	assert_int_equal(end_of(OFF, 0, look_at_oneself), 0);
	fcntl(listener, F_SETFD, FD_CLOEXEC);
}

static int
enter_as(const char *user, struct err *err)
{
	struct proc_limits lim = { .user = user, .sandbox = OFF };

	return proc_enter(PROC_BUILD, &lim, err) ? 0 : (int)err->kind;
}

static int
become_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");
	struct err err = ERR_INIT;
	gid_t groups[64];
	int n;

	if (pw == NULL || enter_as("nobody", &err) != 0)
		return 1;
	n = getgroups(64, groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == 0)
			return 2;
	}
	return getuid() == pw->pw_uid && geteuid() == pw->pw_uid &&
	    getgid() == pw->pw_gid && setuid(0) != 0 &&
	    open("/etc/shadow", O_RDONLY) < 0 ? 0 : 3;
}

static int
become_an_unknown_user(void)
{
	struct err err = ERR_INIT;

	return enter_as("no-such-user-here", &err) == (int)ERR_CONF &&
	    strstr(err.text, "create it") != NULL ? 0 : 1;
}

static int
become_root(void)
{
	struct err err = ERR_INIT;

	return enter_as("root", &err) == (int)ERR_CONF ? 0 : 1;
}

static int
stay(void)
{
	uid_t was = getuid();
	struct err err = ERR_INIT;

	return enter_as("-", &err) == 0 && getuid() == was ? 0 : 1;
}

static int
child(deed_fn *deed)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(deed());
	return status_of(pid);
}

static void
root_becomes_the_service_user_for_good(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(child(become_nobody), 0);
}

static void
a_user_that_does_not_exist_or_is_root_is_a_configuration_error(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(child(become_an_unknown_user), 0);
	assert_int_equal(child(become_root), 0);
}

static void
a_dash_or_an_ordinary_user_stays_who_he_is(void **state)
{
	(void)state;
	assert_int_equal(child(stay), 0);
}

static int
setup(void **state)
{
	socklen_t len = sizeof(listen_addr);

	(void)state;
	listen_addr.sin_family = AF_INET;
	listen_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return mkdtemp(dir) != NULL && listener >= 0 &&
	    bind(listener, (struct sockaddr *)&listen_addr, len) == 0 &&
	    listen(listener, 8) == 0 && getsockname(listener,
	    (struct sockaddr *)&listen_addr, &len) == 0 ? 0 : 1;
}

static int
teardown(void **state)
{
	static const char *const made[] = { "x.db", "x.db-wal", "x.db-shm",
		"new/m", "new", "tmp", "made", "" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
		g_autofree char *path = in_dir(made[i]);

		remove(path);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_can_compute_wait_and_read),
		cmocka_unit_test(
		    the_right_to_store_files_is_enough_for_sqlite_and_for_publishing),
		cmocka_unit_test(threads_need_the_right_to_threads),
		cmocka_unit_test(
		    a_listening_role_accepts_but_cannot_open_a_socket),
		cmocka_unit_test(nobody_makes_a_socket_listen),
		cmocka_unit_test(a_connecting_role_resolves_and_connects),
		cmocka_unit_test(
		    a_role_without_network_dies_when_it_opens_a_socket),
		cmocka_unit_test(
		    a_role_without_files_dies_when_it_creates_or_removes_one),
		cmocka_unit_test(
		    nobody_may_execute_fork_trace_or_signal_others),
		cmocka_unit_test(
		    in_log_mode_what_is_denied_is_done_all_the_same),
		cmocka_unit_test(off_means_that_no_filter_is_loaded),
		cmocka_unit_test(
		    a_role_that_entered_has_no_core_no_new_rights_and_no_strays),
		cmocka_unit_test(root_becomes_the_service_user_for_good),
		cmocka_unit_test(
		    a_user_that_does_not_exist_or_is_root_is_a_configuration_error),
		cmocka_unit_test(a_dash_or_an_ordinary_user_stays_who_he_is),
	};

	return cmocka_run_group_tests_name("proc_ritual", tests, setup,
	    teardown);
}
