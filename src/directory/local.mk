# src/directory: who is who (its file is read by src/conf)
src_libchatjournal_a_SOURCES += src/directory/directory.c
