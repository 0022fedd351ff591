/* SPDX-License-Identifier: Apache-2.0 */
/* proc: the supervisor's policy, with a fake fork, a fake kill and no clock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "../../src/proc/proc_int.h"

#define EXIT(code) ((code) << 8)
#define KILLED(sig) (sig)

/* What the policy did to the world, as one string: "+i" start, "Ti" TERM. */
struct world {
	struct proc_table t;
	char did[256];
	char told[512];
	bool fork_fails;
	pid_t next_pid, pid[PROC_ROLES];
	int64_t restart_in_ms;
};

static const char letter[] = "sigbmld";

/* Those that always run; gateway and directory only if they are configured. */
#define CORE (1u << PROC_STORE | 1u << PROC_INTAKE | 1u << PROC_BUILD | \
	1u << PROC_MEDIA | 1u << PROC_DELIVER)

static void
note(char *to, size_t size, const char *a, char b)
{
	size_t n = strlen(to);

	assert_true(n + strlen(a) + 3 < size);
	memcpy(to + n, a, strlen(a) + 1);
	n += strlen(a);
	to[n++] = b;
	to[n++] = ' ';
	to[n] = '\0';
}

static pid_t
fake_start(void *arg, enum proc_role role)
{
	struct world *w = arg;

	note(w->did, sizeof(w->did), w->fork_fails ? "!" : "+", letter[role]);
	if (w->fork_fails)
		return -1;
	w->pid[role] = ++w->next_pid;
	return w->pid[role];
}

static void
fake_signal(void *arg, pid_t pid, int signo)
{
	struct world *w = arg;

	for (int r = 0; r < PROC_ROLES; r++) {
		if (w->pid[r] == pid)
			note(w->did, sizeof(w->did),
			    signo == SIGTERM ? "T" : "K", letter[r]);
	}
}

static void
fake_tell(void *arg, const struct proc_news *n)
{
	static const char *const word[] = { "start:", "ready:", "exit:",
		"hung:", "conf:", "all-ready", "reloaded", "stopping" };
	struct world *w = arg;

	if (n->kind == NEWS_EXIT)
		w->restart_in_ms = n->restart_in_ms;
	note(w->told, sizeof(w->told), word[n->kind],
	    n->kind < NEWS_ALL_READY ? letter[n->role] : ' ');
}

static const struct proc_ops fakes = { fake_start, fake_signal, fake_tell };

static void
begin(struct world *w, unsigned roles)
{
	static const struct proc_timing timing = { 1000, 60000, 60000, 5000,
		2000 };

	memset(w, 0, sizeof(*w));
	w->next_pid = 100;
	proc_table_init(&w->t, &timing, &fakes, w);
	proc_table_begin(&w->t, roles, 0);
}

static void
did(struct world *w, const char *what)
{
	assert_string_equal(w->did, what);
	w->did[0] = '\0';
}

static void
said(struct world *w, const char *what)
{
	assert_non_null(strstr(w->told, what));
	w->told[0] = '\0';
}

static void
all_ready(struct world *w, int64_t now)
{
	proc_table_exited(&w->t, PROC_STORE, EXIT(0), now);
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++) {
		if (CORE & (1u << r))
			proc_table_status(&w->t, (enum proc_role)r, 'R', now);
	}
	did(w, "+s +i +b +m +d ");
	w->told[0] = '\0';
}

static void
the_store_is_checked_to_its_end_before_any_role_starts(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	did(&w, "+s ");
	proc_table_tick(&w.t, 3600000);
	did(&w, "");
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 3600001);
	did(&w, "+i +b +m +d ");
}

static void
only_what_a_role_does_to_itself_is_a_crash(void **state)
{
	static const struct {
		int status;
		bool crashed;
	} ends[] = { { SIGSEGV, true }, { SIGKILL, true }, { EXIT(0), false },
		{ EXIT(PROC_EXIT_TEMP), false }, { EXIT(1), true } };
	struct world w;
	int64_t now = 0;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 0);
	assert_false(w.t.seats[PROC_MEDIA].crashed);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		proc_table_exited(&w.t, PROC_MEDIA, ends[i].status, now);
		assert_int_equal(w.t.seats[PROC_MEDIA].crashed,
		    ends[i].crashed);
		now += 60000;
		proc_table_tick(&w.t, now);
	}
	/* Asked to go, it may even have to be killed. */
	proc_table_reload(&w.t, CORE, now);
	w.t.seats[PROC_MEDIA].state = SEAT_ENDING;
	proc_table_exited(&w.t, PROC_MEDIA, SIGKILL, now);
	assert_false(w.t.seats[PROC_MEDIA].crashed);
}

static void
a_store_that_fails_for_now_is_tried_again_with_doubling_delay(void **state)
{
	struct world w;
	int64_t now = 0;

	(void)state;
	begin(&w, CORE);
	did(&w, "+s ");
	for (int64_t delay = 1000; delay <= 4000; delay *= 2) {
		proc_table_status(&w.t, PROC_STORE, 'R', now);
		proc_table_exited(&w.t, PROC_STORE, EXIT(75), now);
		assert_int_equal(proc_table_due(&w.t), now + delay);
		proc_table_tick(&w.t, now + delay - 1);
		did(&w, "");
		proc_table_tick(&w.t, now += delay);
		did(&w, "+s ");
	}
}

static void
a_store_with_a_wrong_configuration_stops_the_daemon_with_78(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	proc_table_exited(&w.t, PROC_STORE, EXIT(78), 10);
	did(&w, "+s ");
	said(&w, "exit:s conf:s stopping");
	assert_int_equal(w.t.phase, PHASE_END);
	assert_int_equal(w.t.exit_code, PROC_EXIT_CONF);
}

static void
ready_is_told_once_and_only_when_every_role_is_ready(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 5);
	proc_table_status(&w.t, PROC_INTAKE, 'R', 6);
	proc_table_status(&w.t, PROC_BUILD, 'R', 6);
	proc_table_status(&w.t, PROC_MEDIA, 'R', 6);
	assert_null(strstr(w.told, "all-ready"));
	proc_table_status(&w.t, PROC_DELIVER, 'R', 7);
	said(&w, "all-ready");
	proc_table_status(&w.t, PROC_DELIVER, 'R', 8);
	assert_null(strstr(w.told, "all-ready"));
}

static void
deaths_before_ready_double_the_delay_up_to_a_minute(void **state)
{
	static const int64_t delays[] = { 1000, 2000, 4000, 8000, 16000,
		32000, 60000, 60000 };
	struct world w;
	int64_t now = 0;

	(void)state;
	begin(&w, 1u << PROC_BUILD);
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
		proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGSEGV), now);
		assert_int_equal(w.restart_in_ms, delays[i]);
		now += delays[i];
		proc_table_tick(&w.t, now);
	}
	did(&w, "+b +b +b +b +b +b +b +b +b ");
}

static void
having_been_ready_resets_the_delay(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_BUILD);
	proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGSEGV), 0);
	proc_table_tick(&w.t, 1000);
	proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGSEGV), 1000);
	assert_int_equal(w.restart_in_ms, 2000);
	proc_table_tick(&w.t, 3000);
	proc_table_status(&w.t, PROC_BUILD, 'R', 3001);
	proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGSEGV), 3002);
	assert_int_equal(w.restart_in_ms, 1000);
}

static void
an_end_with_0_that_nobody_asked_for_is_a_death(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 2);
	assert_int_equal(w.restart_in_ms, 1000);
	proc_table_tick(&w.t, 1002);
	did(&w, "+i ");
}

static void
a_role_with_a_wrong_configuration_stops_the_daemon_in_order(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_exited(&w.t, PROC_BUILD, EXIT(78), 2);
	did(&w, "Ti ");
	assert_int_equal(w.restart_in_ms, -1);
	said(&w, "exit:b conf:b stopping");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 3);
	did(&w, "Tm ");
	proc_table_exited(&w.t, PROC_MEDIA, EXIT(0), 3);
	did(&w, "Td ");
	proc_table_exited(&w.t, PROC_DELIVER, EXIT(0), 4);
	assert_int_equal(w.t.phase, PHASE_END);
	assert_int_equal(w.t.exit_code, PROC_EXIT_CONF);
}

static void
a_fork_that_fails_is_throttled_like_a_death(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	w.fork_fails = true;
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 1);
	did(&w, "+s !i !b !m !d ");
	proc_table_tick(&w.t, 1001);
	did(&w, "!i !b !m !d ");
	assert_int_equal(proc_table_due(&w.t), 3001);
	w.fork_fails = false;
	proc_table_tick(&w.t, 3001);
	did(&w, "+i +b +m +d ");
}

static void
a_role_that_is_silent_for_a_minute_is_killed_and_restarted(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_DELIVER);
	proc_table_status(&w.t, PROC_DELIVER, 'R', 0);
	proc_table_status(&w.t, PROC_DELIVER, 'h', 50000);
	proc_table_tick(&w.t, 109999);
	did(&w, "+d ");
	proc_table_tick(&w.t, 110000);
	did(&w, "Kd ");
	said(&w, "hung:d");
	assert_true(proc_table_healthy(&w.t));
	proc_table_exited(&w.t, PROC_DELIVER, KILLED(SIGKILL), 110001);
	assert_int_equal(w.restart_in_ms, 1000);
	proc_table_tick(&w.t, 111001);
	did(&w, "+d ");
}

static void
a_role_that_never_gets_ready_is_killed_too(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_DELIVER);
	proc_table_tick(&w.t, 60000);
	did(&w, "+d Kd ");
}

static void
the_watchdog_starves_when_a_role_outlives_its_kill(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_DELIVER);
	proc_table_tick(&w.t, 60000);
	assert_true(proc_table_healthy(&w.t));
	proc_table_tick(&w.t, 120000);
	assert_false(proc_table_healthy(&w.t));
	proc_table_exited(&w.t, PROC_DELIVER, KILLED(SIGKILL), 120001);
	assert_true(proc_table_healthy(&w.t));
}

static void
a_reload_restarts_the_roles_one_by_one(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_reload(&w.t, CORE, 10);
	did(&w, "Ti ");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	did(&w, "+i ");
	proc_table_status(&w.t, PROC_INTAKE, 'R', 12);
	did(&w, "Tb ");
	proc_table_exited(&w.t, PROC_BUILD, EXIT(0), 13);
	proc_table_status(&w.t, PROC_BUILD, 'R', 14);
	did(&w, "+b Tm ");
	proc_table_exited(&w.t, PROC_MEDIA, EXIT(0), 14);
	proc_table_status(&w.t, PROC_MEDIA, 'R', 14);
	did(&w, "+m Td ");
	proc_table_exited(&w.t, PROC_DELIVER, EXIT(0), 15);
	did(&w, "+d ");
	assert_null(strstr(w.told, "reloaded"));
	proc_table_status(&w.t, PROC_DELIVER, 'R', 16);
	said(&w, "reloaded");
	did(&w, "");
}

static void
a_role_that_does_not_stop_for_a_reload_is_killed_and_replaced(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_BUILD);
	proc_table_status(&w.t, PROC_BUILD, 'R', 1);
	proc_table_reload(&w.t, 1u << PROC_BUILD, 10);
	proc_table_tick(&w.t, 5010);
	did(&w, "+b Tb Kb ");
	proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGKILL), 5011);
	did(&w, "+b ");
}

static void
a_new_process_that_fails_does_not_hold_up_the_reload_of_others(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_reload(&w.t, CORE, 10);
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(75), 12);
	did(&w, "Ti +i Tb ");
	assert_int_equal(w.t.seats[PROC_INTAKE].due_ms, 1012);
}

static void
a_reload_ends_the_delay_of_a_role_that_waits(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_BUILD);
	for (int64_t now = 0; now < 20000; now += 1000) {
		proc_table_exited(&w.t, PROC_BUILD, EXIT(75), now);
		proc_table_tick(&w.t, now);
	}
	w.did[0] = '\0';
	proc_table_reload(&w.t, 1u << PROC_BUILD, 20001);
	did(&w, "+b ");
	proc_table_exited(&w.t, PROC_BUILD, EXIT(75), 20002);
	assert_int_equal(w.restart_in_ms, 1000);
}

static void
a_second_reload_during_the_first_restarts_all_again(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_reload(&w.t, CORE, 10);
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	proc_table_status(&w.t, PROC_INTAKE, 'R', 12);
	did(&w, "Ti +i Tb ");
	proc_table_reload(&w.t, CORE, 13);
	did(&w, "");
	proc_table_exited(&w.t, PROC_BUILD, EXIT(0), 14);
	proc_table_status(&w.t, PROC_BUILD, 'R', 15);
	did(&w, "+b Ti ");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 16);
	proc_table_status(&w.t, PROC_INTAKE, 'R', 17);
	did(&w, "+i Tm ");
}

static void
a_reload_starts_a_new_role_in_its_turn(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_reload(&w.t, CORE | 1u << PROC_GATEWAY, 10);
	did(&w, "Ti ");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	proc_table_status(&w.t, PROC_INTAKE, 'R', 12);
	did(&w, "+i +g ");
	proc_table_status(&w.t, PROC_GATEWAY, 'R', 13);
	did(&w, "Tb ");
	for (int r = PROC_BUILD; r < PROC_ROLES; r++) {
		proc_table_exited(&w.t, (enum proc_role)r, EXIT(0), 14);
		proc_table_status(&w.t, (enum proc_role)r, 'R', 14);
	}
	said(&w, "reloaded");
	did(&w, "+b Tm +m Td +d ");
	proc_table_exited(&w.t, PROC_GATEWAY, KILLED(SIGSEGV), 20);
	assert_int_equal(w.restart_in_ms, 1000);
}

static void
a_role_that_is_wanted_no_more_ends_in_its_turn_and_stays_away(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE | 1u << PROC_GATEWAY);
	proc_table_status(&w.t, PROC_GATEWAY, 'R', 1);
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 1);
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++)
		proc_table_status(&w.t, (enum proc_role)r, 'R', 1);
	did(&w, "+s +i +g +b +m +d ");
	proc_table_reload(&w.t, CORE, 10);
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	proc_table_status(&w.t, PROC_INTAKE, 'R', 12);
	did(&w, "Ti +i Tg ");
	proc_table_exited(&w.t, PROC_GATEWAY, EXIT(0), 13);
	assert_int_equal(w.restart_in_ms, -1);
	did(&w, "Tb ");
	proc_table_tick(&w.t, 100000);
	assert_int_equal(w.t.seats[PROC_GATEWAY].state, SEAT_OFF);
	assert_false(w.t.seats[PROC_GATEWAY].used);
}

/* It is neither restarted nor waited for. */
static void
a_role_that_is_wanted_no_more_need_not_be_well(void **state)
{
	static const int ends[] = { EXIT(75), EXIT(78), KILLED(SIGKILL) };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct world w;

		begin(&w, 1u << PROC_GATEWAY | 1u << PROC_BUILD);
		proc_table_status(&w.t, PROC_BUILD, 'R', 1);
		if (i == 0)	/* it waits for its restart */
			proc_table_exited(&w.t, PROC_GATEWAY, ends[i], 1);
		if (i == 2) {	/* it hangs */
			proc_table_tick(&w.t, 60000);
			proc_table_status(&w.t, PROC_BUILD, 'R', 60000);
		}
		w.did[0] = '\0';
		proc_table_reload(&w.t, 1u << PROC_BUILD, 60001);
		if (i > 0)
			proc_table_exited(&w.t, PROC_GATEWAY, ends[i], 60002);
		assert_false(w.t.seats[PROC_GATEWAY].used);
		assert_int_equal(w.t.phase, PHASE_ROLES);
		proc_table_exited(&w.t, PROC_BUILD, EXIT(0), 60003);
		proc_table_status(&w.t, PROC_BUILD, 'R', 60004);
		said(&w, "reloaded");
		assert_null(strstr(w.did, "+g"));
	}
}

static void
a_role_that_is_wanted_again_before_it_has_gone_starts_again(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1u << PROC_GATEWAY);
	proc_table_status(&w.t, PROC_GATEWAY, 'R', 1);
	proc_table_reload(&w.t, 1u << PROC_BUILD, 10);
	did(&w, "+g Tg ");
	proc_table_reload(&w.t, 1u << PROC_GATEWAY, 11);
	did(&w, "");
	proc_table_exited(&w.t, PROC_GATEWAY, EXIT(0), 12);
	did(&w, "+g ");
	proc_table_status(&w.t, PROC_GATEWAY, 'R', 13);
	said(&w, "reloaded");
}

static void
a_reload_while_the_store_is_checked_says_who_starts_then(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE | 1u << PROC_GATEWAY);
	proc_table_reload(&w.t, CORE | 1u << PROC_DIRECTORY, 10);
	did(&w, "+s ");
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 11);
	did(&w, "+i +b +m +l +d ");
}

static void
roles_are_stopped_in_the_order_of_the_data(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_stop(&w.t, 10);
	did(&w, "Ti ");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 11);
	did(&w, "Tb ");
	proc_table_exited(&w.t, PROC_BUILD, EXIT(0), 12);
	did(&w, "Tm ");
	proc_table_exited(&w.t, PROC_MEDIA, EXIT(0), 12);
	did(&w, "Td ");
	assert_int_equal(w.t.phase, PHASE_STOP);
	proc_table_exited(&w.t, PROC_DELIVER, EXIT(0), 13);
	assert_int_equal(w.t.phase, PHASE_END);
	assert_int_equal(w.t.exit_code, 0);
	assert_int_equal(w.restart_in_ms, -1);
}

static void
gateway_and_directory_have_their_places_if_they_are_configured(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0);
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 1);
	did(&w, "+s +i +g +b +m +l +d ");
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++)
		proc_table_status(&w.t, (enum proc_role)r, 'R', 2);
	said(&w, "all-ready");
	proc_table_stop(&w.t, 10);
	for (int r = PROC_INTAKE; r < PROC_ROLES; r++)
		proc_table_exited(&w.t, (enum proc_role)r, EXIT(0), 11);
	did(&w, "Ti Tg Tb Tm Tl Td ");
	assert_int_equal(w.t.phase, PHASE_END);
}

static void
who_does_not_stop_in_time_is_killed_and_the_next_one_asked(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_stop(&w.t, 10);
	proc_table_tick(&w.t, 5009);
	did(&w, "Ti ");
	proc_table_tick(&w.t, 5010);
	did(&w, "Ki ");
	proc_table_exited(&w.t, PROC_INTAKE, KILLED(SIGKILL), 5011);
	did(&w, "Tb ");
	assert_int_equal(proc_table_due(&w.t), 10011);
}

static void
a_second_request_to_stop_asks_all_at_once(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_stop(&w.t, 10);
	proc_table_stop(&w.t, 20);
	did(&w, "Ti Tb Tm Td ");
	assert_int_equal(proc_table_due(&w.t), 2020);
	proc_table_stop(&w.t, 30);
	proc_table_tick(&w.t, 30);
	did(&w, "Ki Kb Km Kd ");
}

static void
nobody_is_started_or_restarted_while_stopping(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	all_ready(&w, 1);
	proc_table_exited(&w.t, PROC_DELIVER, EXIT(75), 2);
	proc_table_stop(&w.t, 10);
	proc_table_exited(&w.t, PROC_BUILD, KILLED(SIGSEGV), 11);
	proc_table_tick(&w.t, 4000);
	proc_table_reload(&w.t, CORE, 4001);
	did(&w, "Ti ");
	proc_table_exited(&w.t, PROC_INTAKE, EXIT(0), 4002);
	did(&w, "Tm ");
	proc_table_exited(&w.t, PROC_MEDIA, EXIT(0), 4003);
	assert_int_equal(w.t.phase, PHASE_END);
	assert_int_equal(w.t.exit_code, 0);
}

static void
the_store_check_can_be_stopped(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CORE);
	proc_table_stop(&w.t, 10);
	did(&w, "+s Ts ");
	proc_table_exited(&w.t, PROC_STORE, EXIT(0), 11);
	did(&w, "");
	assert_int_equal(w.t.phase, PHASE_END);
}

/*
 * The policy under random bad luck: whatever happens, a role has at most one
 * process, every delay is within bounds, and a stop ends.
 */
static void
no_sequence_of_events_starts_a_role_twice_or_loses_it(void **state)
{
	uint32_t x = 1;
	int64_t now = 0;
	unsigned roles = 0;
	struct world w;

	(void)state;
	begin(&w, 0);
	for (int i = 0; i < 20000; i++) {
		enum proc_role r;
		static const int ends[] = { EXIT(0), EXIT(75), KILLED(11) };

		x = x * 1664525u + 1013904223u;
		r = (enum proc_role)((x >> 24) % PROC_ROLES);
		now += x >> 8 & 0x3fff;
		w.did[0] = w.told[0] = '\0';
		switch (x >> 28) {
		case 0: case 1: case 2:
			if (w.t.seats[r].pid > 0)
				proc_table_exited(&w.t, r,
				    ends[x >> 16 & 1 ? 0 : 1 + (x >> 17 & 1)],
				    now);
			break;
		case 3:
			roles = CORE | (x >> 16 & 1) << PROC_GATEWAY |
			    (x >> 17 & 1) << PROC_DIRECTORY;
			proc_table_reload(&w.t, roles, now);
			break;
		case 4:
			w.fork_fails = !w.fork_fails;
			break;
		case 5: case 6: case 7: case 8:
			proc_table_status(&w.t, r, 'R', now);
			break;
		default:
			proc_table_status(&w.t, r, 'h', now);
		}
		proc_table_tick(&w.t, now);
		assert_true(w.t.phase < PHASE_STOP);
		for (int k = 0; k < PROC_ROLES; k++) {
			const struct proc_seat *s = &w.t.seats[k];
			bool up = s->state != SEAT_OFF &&
			    s->state != SEAT_DELAYED;

			assert_int_equal(up, s->pid > 0);
			assert_true(s->delay_ms <= 60000);
			if (w.t.phase == PHASE_ROLES && k > 0 && s->used)
				assert_true(s->state != SEAT_OFF || s->stale);
			assert_true(s->used || s->state == SEAT_OFF);
			assert_true(s->used || !s->wanted);
			if (s->state == SEAT_DELAYED)
				assert_true(s->due_ms <= now + 60000);
		}
	}
	assert_int_equal(w.t.phase, PHASE_ROLES);
	proc_table_stop(&w.t, now);
	for (int k = 0; k < 40 && w.t.phase != PHASE_END; k++) {
		w.did[0] = w.told[0] = '\0';
		for (int r = 0; r < PROC_ROLES; r++) {
			if (w.t.seats[r].state == SEAT_ENDING ||
			    w.t.seats[r].state == SEAT_HUNG)
				proc_table_exited(&w.t, (enum proc_role)r,
				    KILLED(9), now);
		}
		proc_table_tick(&w.t, now += 60000);
	}
	assert_int_equal(w.t.phase, PHASE_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_store_is_checked_to_its_end_before_any_role_starts),
		cmocka_unit_test(only_what_a_role_does_to_itself_is_a_crash),
		cmocka_unit_test(
		    a_store_that_fails_for_now_is_tried_again_with_doubling_delay),
		cmocka_unit_test(
		    a_store_with_a_wrong_configuration_stops_the_daemon_with_78),
		cmocka_unit_test(
		    ready_is_told_once_and_only_when_every_role_is_ready),
		cmocka_unit_test(
		    deaths_before_ready_double_the_delay_up_to_a_minute),
		cmocka_unit_test(having_been_ready_resets_the_delay),
		cmocka_unit_test(
		    an_end_with_0_that_nobody_asked_for_is_a_death),
		cmocka_unit_test(
		    a_role_with_a_wrong_configuration_stops_the_daemon_in_order),
		cmocka_unit_test(a_fork_that_fails_is_throttled_like_a_death),
		cmocka_unit_test(
		    a_role_that_is_silent_for_a_minute_is_killed_and_restarted),
		cmocka_unit_test(a_role_that_never_gets_ready_is_killed_too),
		cmocka_unit_test(
		    the_watchdog_starves_when_a_role_outlives_its_kill),
		cmocka_unit_test(a_reload_restarts_the_roles_one_by_one),
		cmocka_unit_test(
		    a_role_that_does_not_stop_for_a_reload_is_killed_and_replaced),
		cmocka_unit_test(
		    a_new_process_that_fails_does_not_hold_up_the_reload_of_others),
		cmocka_unit_test(a_reload_ends_the_delay_of_a_role_that_waits),
		cmocka_unit_test(
		    a_second_reload_during_the_first_restarts_all_again),
		cmocka_unit_test(a_reload_starts_a_new_role_in_its_turn),
		cmocka_unit_test(
		    a_role_that_is_wanted_no_more_ends_in_its_turn_and_stays_away),
		cmocka_unit_test(a_role_that_is_wanted_no_more_need_not_be_well),
		cmocka_unit_test(
		    a_role_that_is_wanted_again_before_it_has_gone_starts_again),
		cmocka_unit_test(
		    a_reload_while_the_store_is_checked_says_who_starts_then),
		cmocka_unit_test(roles_are_stopped_in_the_order_of_the_data),
		cmocka_unit_test(
		    gateway_and_directory_have_their_places_if_they_are_configured),
		cmocka_unit_test(
		    who_does_not_stop_in_time_is_killed_and_the_next_one_asked),
		cmocka_unit_test(a_second_request_to_stop_asks_all_at_once),
		cmocka_unit_test(
		    nobody_is_started_or_restarted_while_stopping),
		cmocka_unit_test(the_store_check_can_be_stopped),
		cmocka_unit_test(
		    no_sequence_of_events_starts_a_role_twice_or_loses_it),
	};

	return cmocka_run_group_tests_name("proc_table", tests, NULL, NULL);
}
