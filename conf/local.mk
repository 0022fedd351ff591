# conf: samples, what a service manager reads, and the Debian package
# SPDX-License-Identifier: Apache-2.0

# commented samples, installed beside the real files
conf_sampledir = $(sysconfdir)/chatjournal
dist_conf_sample_DATA = \
	conf/chatjournal.conf.sample conf/directory.conf.sample \
	conf/nginx-gateway.conf.sample conf/nginx.conf.sample \
	conf/policy.conf.sample

# journals as archives want them, to be copied and filled in
presetsdir = $(pkgdatadir)/presets
dist_presets_DATA = \
	conf/presets/enterprise-vault.conf \
	conf/presets/exchange-purview.conf \
	conf/presets/global-relay.conf \
	conf/presets/mailbox.conf \
	conf/presets/mimecast.conf \
	conf/presets/piler.conf \
	conf/presets/smarsh.conf

# phrases that rules may look for, to be copied and added to
lexiconsdir = $(pkgdatadir)/lexicons
dist_lexicons_DATA = \
	conf/lexicons/complaints.en.txt \
	conf/lexicons/complaints.pt.txt \
	conf/lexicons/complaints.ru.txt \
	conf/lexicons/guarantees.en.txt \
	conf/lexicons/guarantees.pt.txt \
	conf/lexicons/guarantees.ru.txt \
	conf/lexicons/insider.en.txt \
	conf/lexicons/insider.pt.txt \
	conf/lexicons/insider.ru.txt \
	conf/lexicons/off-channel.en.txt \
	conf/lexicons/off-channel.pt.txt \
	conf/lexicons/off-channel.ru.txt \
	conf/lexicons/payment-fraud.en.txt \
	conf/lexicons/payment-fraud.pt.txt \
	conf/lexicons/payment-fraud.ru.txt

# rule sets to begin with, to be copied with the lexicons beside them
rulesetsdir = $(pkgdatadir)/policy
dist_rulesets_DATA = \
	conf/policy/brazil.conf conf/policy/fca.conf conf/policy/finra.conf

# --with-systemdsystemunitdir: the unit, its user and its directories
EXTRA_DIST += conf/chatjournald.service.in conf/chatjournal.sysusers \
	conf/chatjournal.tmpfiles
CLEANFILES += conf/chatjournald.service
if SYSTEMD
systemdsystemunit_DATA = conf/chatjournald.service
endif

conf/chatjournald.service: conf/chatjournald.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) conf && sed 's|@sbindir[@]|$(sbindir)|g' \
		$(srcdir)/conf/chatjournald.service.in >$@.tmp && mv $@.tmp $@

# What systemd looks for is named after the user and not after our files.
if SYSTEMD
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(prefix)/lib/sysusers.d' \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d'
	$(INSTALL_DATA) $(srcdir)/conf/chatjournal.sysusers \
		'$(DESTDIR)$(prefix)/lib/sysusers.d/chatjournal.conf'
	$(INSTALL_DATA) $(srcdir)/conf/chatjournal.tmpfiles \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d/chatjournal.conf'

uninstall-local:
	rm -f '$(DESTDIR)$(prefix)/lib/sysusers.d/chatjournal.conf' \
		'$(DESTDIR)$(prefix)/lib/tmpfiles.d/chatjournal.conf'
endif

# make deb: the Debian package, in the top of the build directory. It is built
# from what make dist packs, without running the tests again.
EXTRA_DIST += \
	conf/debian/changelog.awk conf/debian/chatjournal.conf \
	conf/debian/chatjournal.docs conf/debian/chatjournal.postinst \
	conf/debian/chatjournal.postrm conf/debian/control \
	conf/debian/copyright conf/debian/directory.conf \
	conf/debian/rules conf/debian/source/format
DEB_DIR = debian-build/$(distdir)

deb:
	rm -rf debian-build chatjournal_*.deb
	$(MKDIR_P) debian-build
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir='$(DEB_DIR)'
	chmod -R u+w $(DEB_DIR)
	cp -R $(DEB_DIR)/conf/debian $(DEB_DIR)/debian
	$(AWK) -v by="`sed -n 's/^Maintainer: //p' $(DEB_DIR)/debian/control`" \
		-f $(DEB_DIR)/debian/changelog.awk $(DEB_DIR)/CHANGES \
		>$(DEB_DIR)/debian/changelog
	cd $(DEB_DIR) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		DEB_BUILD_OPTIONS='nocheck noautodbgsym' \
		DEB_BUILD_PROFILES=nocheck dpkg-buildpackage -us -uc -b
	$(MKDIR_P) debian-build/tmp
	TMPDIR="`pwd`/debian-build/tmp" lintian --fail-on error,warning \
		debian-build/chatjournal_*.changes
	cp debian-build/chatjournal_*.deb .
.PHONY: deb
