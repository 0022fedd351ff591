# src/ctl: the admin tool
bin_PROGRAMS += chatjournal
chatjournal_SOURCES = src/ctl/chatjournal.c src/ctl/ctl_bench.c \
	src/ctl/ctl_bench.h src/ctl/ctl_common.c src/ctl/ctl_int.h \
	src/ctl/ctl_item.c src/ctl/ctl_look.c \
	src/ctl/ctl_media.c src/ctl/ctl_policy.c src/ctl/ctl_redo.c \
	src/ctl/ctl_render.c src/ctl/ctl_review.c src/ctl/ctl_simulate.c \
	src/ctl/ctl_status.c
chatjournal_LDADD = $(LDADD)
