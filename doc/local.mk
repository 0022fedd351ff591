# doc

# manual pages
dist_man_MANS += doc/man/chatjournal.1 doc/man/chatjournald.8 \
	doc/man/chatjournal.conf.5 doc/man/chatjournal-policy.5 \
	doc/man/chatjournal-templates.5 \
	doc/man/chatjournal-headers.7

# for compliance officers
dist_doc_DATA = doc/COMPLIANCE.md doc/DEVIATIONS.md
