# src/graph: Meta's Graph API
src_libchatjournal_a_SOURCES += \
	src/graph/graph.c src/graph/graph_answer.c src/graph/graph_host.c \
	src/graph/graph_pool.c src/graph/graph_proxy.c \
	src/graph/graph_request.c src/graph/graph_slot.c \
	src/graph/graph_socket.c src/graph/graph_template.c
noinst_HEADERS += include/graph.h src/graph/graph_curl.h \
	src/graph/graph_int.h src/graph/graph_proxy.h \
	src/graph/graph_slot.h src/graph/graph_socket.h

UNIT_TESTS += tests/unit/test_graph tests/unit/test_graph_calls
tests_unit_test_graph_SOURCES = tests/unit/test_graph.c
tests_unit_test_graph_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_graph_calls_SOURCES = tests/unit/test_graph_calls.c \
	tests/unit/graph_peer.c tests/unit/graph_peer.h
tests_unit_test_graph_calls_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_graph_pool
tests_unit_test_graph_pool_SOURCES = tests/unit/test_graph_pool.c \
	tests/unit/graph_peer.c tests/unit/graph_peer.h
tests_unit_test_graph_pool_LDADD = $(LDADD) $(CMOCKA_LIBS)
UNIT_TESTS += tests/unit/test_graph_template
tests_unit_test_graph_template_SOURCES = tests/unit/test_graph_template.c \
	tests/unit/graph_peer.c tests/unit/graph_peer.h
tests_unit_test_graph_template_LDADD = $(LDADD) $(CMOCKA_LIBS)
EXTRA_DIST += tests/fake/graph.py tests/fake/proxy.py tests/fake/sends.py
