# src/scan: what is in a text: lexicons, patterns, detectors
noinst_HEADERS += include/scan.h src/scan/scan_int.h
src_libchatjournal_a_SOURCES += \
	src/scan/scan_alike.c src/scan/scan_card.c src/scan/scan_detect.c \
	src/scan/scan_email.c src/scan/scan_fold.c src/scan/scan_host.c \
	src/scan/scan_iban.c src/scan/scan_lexicon.c \
	src/scan/scan_need.c src/scan/scan_pattern.c src/scan/scan_persons.c \
	src/scan/scan_phone.c src/scan/scan_plain.c src/scan/scan_result.c \
	src/scan/scan_run.c src/scan/scan_script.c src/scan/scan_set.c \
	src/scan/scan_trie.c src/scan/scan_words.c

UNIT_TESTS += tests/unit/test_scan
tests_unit_test_scan_SOURCES = tests/unit/test_scan.c \
	tests/unit/scan_bed.c tests/unit/scan_bed.h
tests_unit_test_scan_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_scan_detect
tests_unit_test_scan_detect_SOURCES = tests/unit/test_scan_detect.c \
	tests/unit/scan_bed.c tests/unit/scan_bed.h
tests_unit_test_scan_detect_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_scan_lexicons
tests_unit_test_scan_lexicons_SOURCES = tests/unit/test_scan_lexicons.c \
	tests/unit/scan_bed.c tests/unit/scan_bed.h
tests_unit_test_scan_lexicons_LDADD = $(LDADD) $(CMOCKA_LIBS)
