# src/gateway: the staff side: who may send what, and the record of it
noinst_HEADERS += include/gateway.h
