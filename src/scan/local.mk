# src/scan: what is in a text: lexicons, patterns, detectors
noinst_HEADERS += include/scan.h
