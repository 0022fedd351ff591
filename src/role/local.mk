# src/role: the roles' wiring
src_libchatjournal_a_SOURCES += \
	src/role/build.c src/role/build_again.c src/role/build_event.c \
	src/role/build_file.c src/role/build_files.c src/role/build_hold.c \
	src/role/build_identity.c src/role/build_judge.c \
	src/role/build_original.c src/role/build_person.c \
	src/role/build_post.c src/role/build_redo.c src/role/build_render.c \
	src/role/build_send.c src/role/build_staff.c \
	src/role/build_withhold.c src/role/deliver_file.c \
	src/role/deliver_journal.c src/role/deliver_outlet.c \
	src/role/deliver_relay.c src/role/deliver_result.c \
	src/role/deliver_watch.c src/role/dir_talk.c src/role/gw_answer.c \
	src/role/gw_commit.c src/role/gw_forward.c src/role/gw_hold.c \
	src/role/gw_judge.c src/role/gw_media.c src/role/gw_queue.c \
	src/role/gw_record.c src/role/gw_recover.c src/role/gw_repeat.c \
	src/role/gw_request.c src/role/gw_step.c src/role/gw_tell.c \
	src/role/gw_template.c src/role/med_crew.c src/role/med_pick.c \
	src/role/med_result.c src/role/role_build.c src/role/role_check.c \
	src/role/role_common.c src/role/role_deliver.c \
	src/role/role_directory.c src/role/role_gateway.c \
	src/role/role_graph.c src/role/role_intake.c src/role/role_media.c \
	src/role/role_staff.c src/role/role_store.c

noinst_HEADERS += include/role.h src/role/build_int.h \
	src/role/dir_int.h src/role/gw_int.h src/role/med_int.h src/role/deliver_int.h src/role/role_int.h

sbin_PROGRAMS += chatjournald
chatjournald_SOURCES = src/role/chatjournald.c
chatjournald_LDADD = $(LDADD)

UNIT_TESTS += tests/unit/test_build tests/unit/test_lanes \
	tests/unit/test_deliver_file tests/unit/test_media_role
tests_unit_test_media_role_SOURCES = tests/unit/test_media_role.c
tests_unit_test_media_role_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_deliver_file_SOURCES = tests/unit/test_deliver_file.c
tests_unit_test_deliver_file_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_build_SOURCES = tests/unit/test_build.c
tests_unit_test_build_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_lanes_SOURCES = tests/unit/test_lanes.c
tests_unit_test_lanes_LDADD = $(LDADD) $(CMOCKA_LIBS)
