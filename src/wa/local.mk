# src/wa: WhatsApp's signature and JSON; the only user of json-c
src_libchatjournal_a_SOURCES += \
	src/wa/wa_account.c src/wa/wa_call.c src/wa/wa_cards.c \
	src/wa/wa_check.c src/wa/wa_content.c src/wa/wa_content_int.h \
	src/wa/wa_edit.c src/wa/wa_envelope.c src/wa/wa_event_int.h \
	src/wa/wa_flatten.c src/wa/wa_gap.c src/wa/wa_group.c \
	src/wa/wa_history.c src/wa/wa_identity.c src/wa/wa_int.h \
	src/wa/wa_interactive.c src/wa/wa_item.c src/wa/wa_json.c \
	src/wa/wa_json_int.h src/wa/wa_message.c src/wa/wa_more.c \
	src/wa/wa_notice.c \
	src/wa/wa_party.c src/wa/wa_record.c src/wa/wa_record_answer.c \
	src/wa/wa_record_body.c src/wa/wa_record_int.h src/wa/wa_send.c \
	src/wa/wa_signature.c src/wa/wa_status.c \
	src/wa/wa_system.c src/wa/wa_template.c src/wa/wa_template_event.c \
	src/wa/wa_types.c src/wa/wa_value.c

UNIT_TESTS += tests/unit/test_wa tests/unit/test_wa_check \
	tests/unit/test_wa_events tests/unit/test_wa_fields \
	tests/unit/test_wa_flatten tests/unit/test_wa_message \
	tests/unit/test_wa_record
WA_BED = tests/unit/wa_bed.c tests/unit/wa_bed.h
WA_TOLD = tests/unit/wa_told.c tests/unit/wa_told.h
tests_unit_test_wa_SOURCES = tests/unit/test_wa.c $(WA_BED)
tests_unit_test_wa_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_check_SOURCES = tests/unit/test_wa_check.c
tests_unit_test_wa_check_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_events_SOURCES = tests/unit/test_wa_events.c $(WA_BED) \
	$(WA_TOLD)
tests_unit_test_wa_events_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_fields_SOURCES = tests/unit/test_wa_fields.c $(WA_BED)
tests_unit_test_wa_fields_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_flatten_SOURCES = tests/unit/test_wa_flatten.c
tests_unit_test_wa_flatten_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_message_SOURCES = tests/unit/test_wa_message.c $(WA_BED) \
	$(WA_TOLD)
tests_unit_test_wa_message_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_record_SOURCES = tests/unit/test_wa_record.c $(WA_BED) \
	$(WA_TOLD)
tests_unit_test_wa_record_LDADD = $(LDADD) $(CMOCKA_LIBS)

# One body of every shape: for unit tests, goldens, fuzzing and replay.
EXTRA_DIST += tests/events/ITEMS $(wildcard $(srcdir)/tests/events/*.json)
EXTRA_DIST += tests/records/ITEMS $(wildcard $(srcdir)/tests/records/*.json)

# make tests/bench/bench_wa && tests/bench/bench_wa tests/events/text-en.json
check_PROGRAMS += tests/bench/bench_wa
tests_bench_bench_wa_SOURCES = tests/bench/bench_wa.c
