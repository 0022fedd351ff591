# src/media: one file of a message, from its id to a verified, durable file
src_libchatjournal_a_SOURCES += \
	src/media/media.c src/media/media_clamd.c src/media/media_file.c \
	src/media/media_length.c src/media/media_plan.c src/media/media_type.c
noinst_HEADERS += include/media.h src/media/media_int.h

UNIT_TESTS += tests/unit/test_media tests/unit/test_media_fetch
tests_unit_test_media_SOURCES = tests/unit/test_media.c
tests_unit_test_media_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_media_fetch_SOURCES = tests/unit/test_media_fetch.c \
	tests/unit/clamd_peer.c tests/unit/clamd_peer.h \
	tests/unit/graph_peer.c tests/unit/graph_peer.h
tests_unit_test_media_fetch_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_media_length
tests_unit_test_media_length_SOURCES = tests/unit/test_media_length.c
tests_unit_test_media_length_LDADD = $(LDADD) $(CMOCKA_LIBS)
