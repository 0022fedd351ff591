# src/gateway: the staff side: who may send what, and the record of it
noinst_HEADERS += include/gateway.h
src_libchatjournal_a_SOURCES += \
	src/gateway/gateway_answer.c src/gateway/gateway_body.c \
	src/gateway/gateway_caller.c src/gateway/gateway_head.c \
	src/gateway/gateway_int.h src/gateway/gateway_json.c \
	src/gateway/gateway_pace.c src/gateway/gateway_part.c \
	src/gateway/gateway_record.c src/gateway/gateway_refuse.c \
	src/gateway/gateway_route.c

UNIT_TESTS += tests/unit/test_gateway_body tests/unit/test_gateway_pace \
	tests/unit/test_gateway_record tests/unit/test_gateway_route
tests_unit_test_gateway_body_SOURCES = tests/unit/test_gateway_body.c
tests_unit_test_gateway_body_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_gateway_pace_SOURCES = tests/unit/test_gateway_pace.c
tests_unit_test_gateway_pace_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_gateway_record_SOURCES = tests/unit/test_gateway_record.c
tests_unit_test_gateway_record_LDADD = $(LDADD) $(CMOCKA_LIBS)
tests_unit_test_gateway_route_SOURCES = tests/unit/test_gateway_route.c
tests_unit_test_gateway_route_LDADD = $(LDADD) $(CMOCKA_LIBS)
