# src/wa: WhatsApp's signature and JSON; the only user of json-c
src_libchatjournal_a_SOURCES += \
	src/wa/wa_account.c src/wa/wa_call.c src/wa/wa_cards.c \
	src/wa/wa_check.c src/wa/wa_content.c src/wa/wa_edit.c \
	src/wa/wa_envelope.c src/wa/wa_event_int.h src/wa/wa_flatten.c \
	src/wa/wa_gap.c src/wa/wa_group.c src/wa/wa_history.c \
	src/wa/wa_identity.c src/wa/wa_int.h src/wa/wa_interactive.c \
	src/wa/wa_item.c src/wa/wa_json.c src/wa/wa_message.c \
	src/wa/wa_notice.c src/wa/wa_party.c src/wa/wa_signature.c \
	src/wa/wa_status.c src/wa/wa_system.c src/wa/wa_template.c \
	src/wa/wa_template_event.c src/wa/wa_types.c src/wa/wa_value.c

UNIT_TESTS += tests/unit/test_wa tests/unit/test_wa_check \
	tests/unit/test_wa_events tests/unit/test_wa_flatten
tests_unit_test_wa_SOURCES = tests/unit/test_wa.c
tests_unit_test_wa_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_check_SOURCES = tests/unit/test_wa_check.c
tests_unit_test_wa_check_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_events_SOURCES = tests/unit/test_wa_events.c
tests_unit_test_wa_events_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_wa_flatten_SOURCES = tests/unit/test_wa_flatten.c
tests_unit_test_wa_flatten_LDADD = $(LDADD) $(CMOCKA_LIBS)

# One body of every shape: for unit tests, goldens, fuzzing and replay.
EXTRA_DIST += \
	tests/events/ITEMS tests/events/account-alert.json \
	tests/events/account-offboarded.json tests/events/ad-referral.json \
	tests/events/audio.json tests/events/automatic-event.json \
	tests/events/bsuid-in-from.json tests/events/bsuid-only.json \
	tests/events/business-username.json tests/events/button.json \
	tests/events/call-by-business.json tests/events/call-connect.json \
	tests/events/call-recording.json tests/events/call-status.json \
	tests/events/call-terminate.json tests/events/call-transcript.json \
	tests/events/change-without-field.json \
	tests/events/changed-fields.json tests/events/contact-sync.json \
	tests/events/contacts-out-of-order.json tests/events/contacts.json \
	tests/events/context-summary.json tests/events/dashboard-test.json \
	tests/events/document-hostile-name.json tests/events/document.json \
	tests/events/echo-bsuid-only.json tests/events/echo-edit-revoke.json \
	tests/events/echo-image.json tests/events/echo-other-app.json \
	tests/events/echo-text.json tests/events/edit.json \
	tests/events/entry-odd.json tests/events/flow-health.json \
	tests/events/forwarded.json tests/events/group-lifecycle.json \
	tests/events/group-participants.json tests/events/group-settings.json \
	tests/events/group-status.json tests/events/group.json \
	tests/events/handover.json tests/events/history-declined.json \
	tests/events/history-media.json tests/events/history.json \
	tests/events/image.json tests/events/interactive.json \
	tests/events/location-without-type.json tests/events/location.json \
	tests/events/loose-types.json tests/events/many-in-one.json \
	tests/events/media-failed.json tests/events/no-entry.json \
	tests/events/number-quality.json tests/events/order.json \
	tests/events/other-object.json tests/events/product-question.json \
	tests/events/reaction-removed.json tests/events/reaction.json \
	tests/events/repeated-member.json tests/events/reply.json \
	tests/events/revoke.json tests/events/security.json \
	tests/events/standby-group.json \
	tests/events/standby-message.json tests/events/standby.json \
	tests/events/status-delivered.json tests/events/status-failed.json \
	tests/events/status-group.json tests/events/status-legacy.json \
	tests/events/status-payment.json tests/events/status-played.json \
	tests/events/status-read.json tests/events/status-sent.json \
	tests/events/sticker.json tests/events/system-number.json \
	tests/events/system-user-id.json \
	tests/events/template-components.json \
	tests/events/template-status.json tests/events/text-ar.json \
	tests/events/text-controls.json tests/events/text-en.json \
	tests/events/text-pt.json tests/events/text-ru.json \
	tests/events/unknown-field-messages.json \
	tests/events/unknown-field.json tests/events/unknown-legacy.json \
	tests/events/unknown-member.json tests/events/unknown-type.json \
	tests/events/unsupported.json tests/events/user-actions.json \
	tests/events/user-id-update.json tests/events/user-preferences.json \
	tests/events/value-error.json tests/events/value-missing.json \
	tests/events/video.json tests/events/voice-legacy.json \
	tests/events/voice-note.json tests/events/voicemail.json \
	tests/events/welcome-request.json

# make tests/bench/bench_wa && tests/bench/bench_wa tests/events/text-en.json
check_PROGRAMS += tests/bench/bench_wa
tests_bench_bench_wa_SOURCES = tests/bench/bench_wa.c
