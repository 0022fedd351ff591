# src/item: the network-neutral vocabulary
src_libchatjournal_a_SOURCES += src/item/item.c

UNIT_TESTS += tests/unit/test_item
tests_unit_test_item_SOURCES = tests/unit/test_item.c
tests_unit_test_item_LDADD = $(LDADD) $(CMOCKA_LIBS)
