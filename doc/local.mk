# doc

# manual pages
dist_man_MANS += doc/man/chatjournal-templates.5 \
	doc/man/chatjournal.conf.5
dist_man_MANS += doc/man/chatjournal-headers.7
