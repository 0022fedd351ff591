/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second half of the ritual: which system calls a role has left. A list
 * of what is allowed; anything else kills the process (or is logged by the
 * kernel, where the configuration says so). Nobody gets execve, ptrace, fork,
 * mount, bpf, keyctl, io_uring or a listening socket of his own making: that
 * is the supervisor's part.
 *
 * The lists say what glibc, GLib, SQLite, libmicrohttpd, libcurl, GnuTLS,
 * OpenSSL and libesmtp do when they work, including loading an iconv or NSS
 * module late: so everybody may open files for reading and map them.
 */
#include "proc_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41	/* newer malloc() names its arenas */
#endif

enum { SANDBOX_ENFORCE, SANDBOX_LOG, SANDBOX_OFF };

/* By name: what an architecture or an older kernel lacks is left out. */
static const char *const base[] = {
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev",
	"pwrite64", "pwritev", "pwritev2", "close", "close_range", "lseek",
	"_llseek", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs",
	"fstatfs64", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "getcwd", "getdents64", "fadvise64", "dup", "dup2",
	"dup3", "fcntl", "fcntl64", "pipe", "pipe2", "eventfd2",
	"timerfd_create", "timerfd_settime", "timerfd_gettime", "signalfd4",
	"mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "msync",
	"mlock", "mlock2", "munlock", "brk", "membarrier", "mincore",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
	"rt_sigtimedwait", "rt_sigsuspend", "sigaltstack", "restart_syscall",
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
	"pselect6_time64", "epoll_create1", "epoll_create", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "epoll_pwait2",
	"clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64",
	"nanosleep", "gettimeofday", "time", "times", "getrusage",
	"futex", "futex_time64", "futex_waitv", "set_robust_list",
	"get_robust_list", "set_tid_address", "rseq", "sched_yield",
	"sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_get_priority_max", "sched_get_priority_min", "getcpu",
	"getpid", "gettid", "getppid", "getpgrp", "getuid", "geteuid",
	"getgid", "getegid", "getresuid", "getresgid", "getgroups", "uname",
	"sysinfo", "getrandom", "getrlimit", "ugetrlimit", "umask", "exit",
	"exit_group", NULL
};

static const char *const store_files[] = {
	"open", "openat", "creat", "rename", "renameat", "renameat2", "unlink",
	"unlinkat", "link", "linkat", "mkdir", "mkdirat", "fsync",
	"fdatasync", "sync_file_range", "flock", "ftruncate", "ftruncate64",
	"fallocate", "fchmod", "fchmodat", "fchown", "utimensat", NULL
};

static const char *const listening[] = {
	"accept", "accept4", "recv", "recvfrom", "recvmsg", "send",
	"sendto", "sendmsg", "sendfile", "sendfile64", "shutdown",
	"getsockopt", "setsockopt", "getpeername", "getsockname", NULL
};

static const char *const connecting[] = {
	"connect", "bind", "socketpair", "recv", "recvfrom", "recvmsg",
	"recvmmsg", "send", "sendto", "sendmsg", "sendmmsg", "shutdown",
	"getsockopt", "setsockopt", "getpeername", "getsockname", NULL
};

/* A call that is allowed with one argument of a certain value only. */
struct narrow {
	const char *name;
	unsigned arg;
	scmp_datum_t mask, value;
};

#define ALL (~(scmp_datum_t)0)
#define WRITING \
	(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

static const struct narrow base_narrow[] = {
	{ "open", 1, WRITING, O_RDONLY },
	{ "openat", 2, WRITING, O_RDONLY },
	{ "ioctl", 1, 0xffffffff, FIONREAD },
	{ "ioctl", 1, 0xffffffff, FIONBIO },
	{ "ioctl", 1, 0xffffffff, TCGETS },
	{ "prlimit64", 2, ALL, 0 },		/* read, do not set */
	{ "prctl", 0, 0xffffffff, PR_SET_NAME },
	{ "prctl", 0, 0xffffffff, PR_GET_NAME },
	{ "prctl", 0, 0xffffffff, PR_GET_DUMPABLE },
	{ "prctl", 0, 0xffffffff, PR_SET_VMA },
	{ NULL }
};

static const struct narrow thread_narrow[] = {
	{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
	{ NULL }
};

static const struct narrow connect_narrow[] = {
	{ "socket", 0, 0xffffffff, AF_UNIX },
	{ "socket", 0, 0xffffffff, AF_INET },
	{ "socket", 0, 0xffffffff, AF_INET6 },
	{ "socket", 0, 0xffffffff, AF_NETLINK },	/* getaddrinfo(3) */
	{ NULL }
};

static bool
fail(struct err *err, const char *what, int rc)
{
	return err_set(err, ERR_TEMP, "proc.sandbox",
	    "cannot set up the sandbox (%s): %s; a kernel without seccomp "
	    "needs `sandbox off`", what, err_errno(-rc));
}

static bool
allow(scmp_filter_ctx ctx, const char *const names[], struct err *err)
{
	for (; *names != NULL; names++) {
		int nr = seccomp_syscall_resolve_name(*names);
		int rc = nr == __NR_SCMP_ERROR ? 0 :
		    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);

		if (rc != 0 && rc != -EDOM)
			return fail(err, *names, rc);
	}
	return true;
}

static bool
allow_narrow(scmp_filter_ctx ctx, const struct narrow *n, struct err *err)
{
	for (; n->name != NULL; n++) {
		int nr = seccomp_syscall_resolve_name(n->name);
		int rc = nr == __NR_SCMP_ERROR ? 0 :
		    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
		    SCMP_CMP(n->arg, SCMP_CMP_MASKED_EQ, n->mask, n->value));

		if (rc != 0 && rc != -EDOM)
			return fail(err, n->name, rc);
	}
	return true;
}

/*
 * What fails rather than kills, as a library tries it and has another way:
 * clone3 hides its flags behind a pointer, and after ENOSYS glibc uses clone;
 * user look-ups ask nscd over a Unix socket before they read the files.
 */
static bool
refuse_softly(scmp_filter_ctx ctx, unsigned rights, struct err *err)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
	    SCMP_SYS(clone3), 0);

	if (rc == 0 && (rights & PROC_CONNECT) == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
		    SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
	return rc == 0 || fail(err, "refusals", rc);
}

/* abort() and raise(): signals to oneself. */
static bool
allow_own_signals(scmp_filter_ctx ctx, struct err *err)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0_32(SCMP_CMP_EQ, (scmp_datum_t)getpid()));

	return rc == 0 || fail(err, "tgkill", rc);
}

static bool
fill(scmp_filter_ctx ctx, unsigned rights, struct err *err)
{
	/* The resolver of libcurl runs in a thread. */
	bool threads = (rights & (PROC_THREADS | PROC_CONNECT)) != 0;

	return allow(ctx, base, err) && allow_narrow(ctx, base_narrow, err) &&
	    allow_own_signals(ctx, err) && refuse_softly(ctx, rights, err) &&
	    (!threads || allow_narrow(ctx, thread_narrow, err)) &&
	    ((rights & PROC_STORE_FILES) == 0 ||
		allow(ctx, store_files, err)) &&
	    ((rights & PROC_LISTEN) == 0 || allow(ctx, listening, err)) &&
	    ((rights & PROC_CONNECT) == 0 || (allow(ctx, connecting, err) &&
		allow_narrow(ctx, connect_narrow, err)));
}

static bool
load(scmp_filter_ctx ctx, unsigned rights, struct err *err)
{
	int rc;

	/* Threads that run already are confined too. */
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		    SCMP_ACT_KILL_PROCESS);
	if (rc != 0)
		return fail(err, "attributes", rc);
	if (!fill(ctx, rights, err))
		return false;
	rc = seccomp_load(ctx);
	return rc == 0 || fail(err, "load", rc);
}

bool
proc_confine(enum proc_role role, unsigned rights,
    const struct proc_limits *lim, struct err *err)
{
	scmp_filter_ctx ctx;
	bool ok;

	if (lim->sandbox == SANDBOX_OFF)
		return true;
	ctx = seccomp_init(lim->sandbox == SANDBOX_LOG ? SCMP_ACT_LOG :
	    SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return fail(err, "init", -ENOMEM);
	ok = load(ctx, rights, err);
	seccomp_release(ctx);
	return ok || err_context(err, "%s", proc_role_name(role));
}
