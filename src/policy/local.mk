# src/policy: the bank's rules: what they match, what they demand
noinst_HEADERS += include/policy.h
