/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire below libldap: a layer between TLS and the socket that waits until
 * there is something to read or room to write, and no longer than to the
 * deadline of the step under way, or until it is cut. Then the read or write
 * fails, and with it whatever libldap was about to do.
 */
#include "directory_int.h"

#include <errno.h>
#include <lber.h>
#include <poll.h>

#include "clock.h"

/* Who cuts it waits so long at most. */
#define SLICE_MS 200

void
ldap_wire_begin(struct ldap_wire *w)
{
	w->deadline_ms = clock_mono_ms() + w->timeout_ms;
	w->is_late = false;
}

static int
descriptor(Sockbuf_IO_Desc *d)
{
	ber_socket_t fd = -1;

	return ber_sockbuf_ctrl(d->sbiod_sb, LBER_SB_OPT_GET_FD, &fd) > 0 ?
	    (int)fd : -1;
}

static bool
wait_for(Sockbuf_IO_Desc *d, short events)
{
	struct ldap_wire *w = d->sbiod_pvt;
	struct pollfd p = { .fd = descriptor(d), .events = events };

	while (!atomic_load(&w->is_cut)) {
		int64_t left = w->deadline_ms - clock_mono_ms();
		int n = poll(&p, 1, left <= 0 ? 0 : left < SLICE_MS ?
		    (int)left : SLICE_MS);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
		if (left <= 0) {
			w->is_late = true;
			break;
		}
	}
	errno = ETIMEDOUT;
	return false;
}

static ber_slen_t
read_next(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	return wait_for(d, POLLIN) ? LBER_SBIOD_READ_NEXT(d, buf, len) : -1;
}

static ber_slen_t
write_next(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	return wait_for(d, POLLOUT) ? LBER_SBIOD_WRITE_NEXT(d, buf, len) : -1;
}

static int
control(Sockbuf_IO_Desc *d, int option, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(d, option, arg);
}

static int
set_up(Sockbuf_IO_Desc *d, void *wire)
{
	d->sbiod_pvt = wire;
	return 0;
}

static int
forget(Sockbuf_IO_Desc *d)
{
	d->sbiod_pvt = NULL;
	return 0;
}

static Sockbuf_IO layer = { .sbi_setup = set_up, .sbi_remove = forget,
	.sbi_ctrl = control, .sbi_read = read_next, .sbi_write = write_next };

/*
 * The socket is connected. Its own layer comes below, as it is of a lower
 * level, and TLS above, as of two of a level the younger one is above.
 */
static int
on_connect(LDAP *ld, Sockbuf *sb, LDAPURLDesc *url, struct sockaddr *addr,
    struct ldap_conncb *calls)
{
	(void)ld;
	(void)url;
	(void)addr;
	ldap_wire_begin(calls->lc_arg);
	return ber_sockbuf_add_io(sb, &layer, LBER_SBIOD_LEVEL_TRANSPORT,
	    calls->lc_arg);
}

static void
on_close(LDAP *ld, Sockbuf *sb, struct ldap_conncb *calls)
{
	(void)ld;
	(void)sb;
	(void)calls;
}

void
ldap_wire_init(struct ldap_wire *w, int64_t timeout_ms)
{
	w->calls = (ldap_conncb){ .lc_add = on_connect, .lc_del = on_close,
		.lc_arg = w };
	w->timeout_ms = timeout_ms;
}

int
ldap_wire_lay(struct ldap_wire *w, LDAP *ld)
{
	return ldap_set_option(ld, LDAP_OPT_CONNECT_CB, &w->calls);
}
