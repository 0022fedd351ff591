# src/deliver: transports, what counts as accepted, when to try again
src_libchatjournal_a_SOURCES += \
	src/deliver/deliver.c src/deliver/deliver_connect.c \
	src/deliver/deliver_curl.c src/deliver/deliver_esmtp.c \
	src/deliver/deliver_guard.c src/deliver/deliver_maildir.c \
	src/deliver/deliver_mail.c src/deliver/deliver_net.c \
	src/deliver/deliver_wire.c
noinst_HEADERS += src/deliver/deliver_int.h

UNIT_TESTS += tests/unit/test_deliver tests/unit/test_deliver_smtp
tests_unit_test_deliver_SOURCES = tests/unit/test_deliver.c
tests_unit_test_deliver_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_deliver_smtp_SOURCES = tests/unit/test_deliver_smtp.c
tests_unit_test_deliver_smtp_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_deliver_large
tests_unit_test_deliver_large_SOURCES = tests/unit/test_deliver_large.c
tests_unit_test_deliver_large_LDADD = $(LDADD) $(CMOCKA_LIBS)
EXTRA_DIST += tests/lib/smtp_peer.py
