# src/http: sources and unit tests
src_libchatjournal_a_SOURCES += \
	src/http/http_answer.c src/http/http_conn.c src/http/http_framing.c \
	src/http/http_framing.h src/http/http_int.h \
	src/http/http_keeper.c src/http/http_listen.c \
	src/http/http_request.c src/http/http_server.c src/http/http_spool.c \
	src/http/http_tls.c

UNIT_TESTS += tests/unit/test_http
tests_unit_test_http_SOURCES = tests/unit/test_http.c \
	tests/unit/http_peer.c tests/unit/http_peer.h
tests_unit_test_http_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_http_tls
tests_unit_test_http_tls_SOURCES = tests/unit/test_http_tls.c \
	tests/unit/http_peer.c tests/unit/http_peer.h
tests_unit_test_http_tls_LDADD = $(LDADD) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_http_gateway
tests_unit_test_http_gateway_SOURCES = tests/unit/test_http_gateway.c \
	tests/unit/http_peer.c tests/unit/http_peer.h
tests_unit_test_http_gateway_LDADD = $(LDADD) $(CMOCKA_LIBS)
