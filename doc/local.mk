# doc

# manual pages
dist_man_MANS += doc/man/chatjournal-templates.5
