# conf: commented samples, installed beside the real files
conf_sampledir = $(sysconfdir)/chatjournal
dist_conf_sample_DATA = \
	conf/chatjournal.conf.sample conf/directory.conf.sample \
	conf/nginx.conf.sample
