noinst_HEADERS += $(PUBLIC_FILES)
PUBLIC_FILES = \
	include/clock.h include/conf.h include/deliver.h include/directory.h \
	include/err.h include/hash.h include/http.h include/intake.h \
	include/io.h include/item.h include/log.h include/proc.h \
	include/render.h include/store.h include/template.h include/text.h \
	include/turn.h include/wa.h
