/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program under the system calls that a systemd unit allows, where no
 * systemd runs: as_unit LIST PROGRAM [ARGUMENT...]. LIST is a file with one
 * name on each line; every other call fails with EPERM. Also as the unit
 * says: no memory is both writable and executable, and sockets are of the
 * families local, IPv4, IPv6 and netlink. Needs no rights, and gives none.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static int
die(const char *what, int code)
{
	fprintf(stderr, "as_unit: %s: %s\n", what, err_errno(code));
	return 1;
}

/* Names of other architectures or of newer kernels resolve to nothing. */
static int
allow(scmp_filter_ctx ctx, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR || strcmp(name, "socket") == 0)
		return 0;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int
allow_families(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6,
		AF_NETLINK };
	int rc = 0;

	for (size_t i = 0; i < 4 && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0_32(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return rc;
}

static int
allow_listed(scmp_filter_ctx ctx, FILE *list)
{
	char name[64];

	while (fscanf(list, "%63s", name) == 1) {
		int rc = allow(ctx, name);

		if (rc != 0 && rc != -EDOM)
			return rc;
	}
	return allow_families(ctx);
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	FILE *list = argc > 2 ? fopen(argv[1], "r") : NULL;
	int rc;

	if (list == NULL || ctx == NULL)
		return die("usage: as_unit LIST PROGRAM", EINVAL);
	/* Kernels before 6.3 do not have it; systemd has another way then. */
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0 &&
	    errno != EINVAL)
		return die("memory", errno);
	rc = allow_listed(ctx, list);
	fclose(list);
	if (rc == 0)
		rc = seccomp_load(ctx);
	if (rc != 0)
		return die("filter", -rc);
	execv(argv[2], argv + 2);
	return die(argv[2], errno);
}
