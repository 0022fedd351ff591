# src/graph: Meta's Graph API
src_libchatjournal_a_SOURCES += \
	src/graph/graph.c src/graph/graph_answer.c src/graph/graph_host.c \
	src/graph/graph_proxy.c
noinst_HEADERS += include/graph.h src/graph/graph_int.h \
	src/graph/graph_proxy.h

UNIT_TESTS += tests/unit/test_graph tests/unit/test_graph_calls
tests_unit_test_graph_SOURCES = tests/unit/test_graph.c
tests_unit_test_graph_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_graph_calls_SOURCES = tests/unit/test_graph_calls.c \
	tests/unit/graph_peer.c tests/unit/graph_peer.h
tests_unit_test_graph_calls_LDADD = $(LDADD) $(CMOCKA_LIBS)
EXTRA_DIST += tests/fake/graph.py tests/fake/proxy.py
