#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What Perl's Email::MIME makes of mails: a line of JSON for each file named
# on the command line, with subject, sender and parts. read_back.py compares.
use strict;
use warnings FATAL => 'all';

use Digest::SHA qw(sha256_hex);
use Email::MIME;
use JSON::PP;

my $json = JSON::PP->new->ascii->canonical;

for my $path (@ARGV) {
	open(my $in, '<:raw', $path) or die "$path: $!\n";
	my $raw = do { local $/; <$in> };
	my @parts;

	Email::MIME->new($raw)->walk_parts(sub {
		my ($part) = @_;
		my ($type) = split(/;/, $part->content_type);

		return if $part->subparts;
		push(@parts, { type => $type, name => $part->filename(0) // '',
			sha256 => sha256_hex($part->body) });
	});
	my $mail = Email::MIME->new($raw);
	print $json->encode({ path => $path, parts => \@parts,
		subject => $mail->header_str('Subject'),
		from => $mail->header_str('From') }), "\n";
}
