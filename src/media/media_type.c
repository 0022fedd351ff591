/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared types and what the bytes look like. Only a difference that says
 * something is one: a page that calls itself a picture, a program that calls
 * itself a PDF. Other names for the same, containers that libmagic does not
 * look into and text of all kinds are none. Tables, no I/O.
 */
#include "media_int.h"

#include <string.h>

#define TYPE_MAX_LEN 127	/* RFC 6838 section 4.2, for each half */

/* Other names for the same: the first is replaced by the second. */
static const char *const aliases[][2] = {
	{ "image/jpg", "image/jpeg" }, { "image/pjpeg", "image/jpeg" },
	{ "image/x-png", "image/png" }, { "image/x-ms-bmp", "image/bmp" },
	{ "image/heif", "image/heic" }, { "image/heic-sequence", "image/heic" },
	{ "image/x-icon", "image/vnd.microsoft.icon" },
	{ "audio/mp3", "audio/mpeg" }, { "audio/x-mp3", "audio/mpeg" },
	{ "audio/opus", "audio/ogg" }, { "application/ogg", "audio/ogg" },
	{ "audio/vorbis", "audio/ogg" }, { "audio/x-opus+ogg", "audio/ogg" },
	{ "audio/x-wav", "audio/wav" }, { "audio/vnd.wave", "audio/wav" },
	{ "audio/m4a", "audio/mp4" }, { "audio/x-m4a", "audio/mp4" },
	{ "audio/x-hx-aac-adts", "audio/aac" }, { "audio/aacp", "audio/aac" },
	{ "audio/x-aac", "audio/aac" }, { "audio/amr-wb", "audio/amr" },
	{ "audio/x-amr", "audio/amr" }, { "audio/x-flac", "audio/flac" },
	{ "video/x-m4v", "video/mp4" }, { "video/3gpp2", "video/3gpp" },
	{ "video/3gp", "video/3gpp" }, { "video/x-msvideo", "video/avi" },
	{ "application/x-pdf", "application/pdf" },
	{ "application/x-zip-compressed", "application/zip" },
	{ "application/x-zip", "application/zip" },
	{ "application/x-rar", "application/vnd.rar" },
	{ "application/x-rar-compressed", "application/vnd.rar" },
	{ "application/x-gzip", "application/gzip" },
	{ "application/cdfv2", "application/x-ole-storage" },
	{ "application/cdfv2-encrypted", "application/x-ole-storage" },
	{ "application/cdfv2-unknown", "application/x-ole-storage" },
	{ "application/encrypted", "application/x-ole-storage" },
	{ "application/rtf", "text/rtf" }, { "application/xml", "text/xml" },
	{ "application/x-javascript", "text/javascript" },
	{ "application/javascript", "text/javascript" },
	{ "text/x-vcard", "text/vcard" },
	{ "application/x-dosexec", "application/vnd.microsoft.portable-executable" },
	{ "application/x-msdownload", "application/vnd.microsoft.portable-executable" },
};

/*
 * What looks like the first may be called what begins with the second. The
 * outside of an office file says little; a video without pictures is a sound.
 */
static const char *const containers[][2] = {
	{ "application/zip", "application/vnd." },
	{ "application/zip", "application/epub+zip" },
	{ "application/zip", "application/java-archive" },
	{ "application/zip", "application/x-iwork-" },
	{ "application/zip", "application/msword" },
	{ "application/java-archive", "application/vnd.android." },
	{ "application/java-archive", "application/zip" },
	{ "application/vnd.openxmlformats-", "application/vnd.openxmlformats-" },
	{ "application/vnd.openxmlformats-", "application/vnd.ms-" },
	{ "application/vnd.openxmlformats-", "application/msword" },
	{ "application/vnd.openxmlformats-", "application/zip" },
	{ "application/vnd.oasis.", "application/vnd.oasis." },
	{ "application/vnd.oasis.", "application/zip" },
	{ "application/x-ole-storage", "application/msword" },
	{ "application/x-ole-storage", "application/vnd.ms-" },
	{ "application/x-ole-storage", "application/vnd.visio" },
	{ "application/x-ole-storage", "application/vnd.openxmlformats-" },
	{ "application/msword", "application/vnd.ms-" },
	{ "application/vnd.ms-", "application/msword" },
	{ "application/vnd.ms-", "application/vnd.ms-" },
	{ "text/xml", "application/" }, { "text/xml", "image/svg+xml" },
	{ "text/html", "application/xhtml+xml" },
	{ "text/html", "application/vnd.ms-excel" },
	{ "audio/ogg", "video/ogg" }, { "video/ogg", "audio/ogg" },
	{ "audio/mp4", "video/mp4" }, { "video/mp4", "audio/mp4" },
	{ "video/mp4", "audio/aac" }, { "audio/mp4", "audio/aac" },
	{ "video/mp4", "video/quicktime" }, { "video/quicktime", "video/mp4" },
	{ "video/mp4", "video/3gpp" }, { "video/3gpp", "video/mp4" },
	{ "video/3gpp", "audio/3gpp" }, { "video/3gpp", "audio/amr" },
	{ "video/3gpp", "audio/mp4" }, { "video/webm", "audio/webm" },
	{ "video/x-matroska", "video/webm" },
	{ "video/x-matroska", "audio/webm" },
	{ "application/gzip", "application/x-gtar" },
	{ "application/gzip", "application/x-tar" },
	{ "application/gzip", "application/x-compressed-tar" },
};

/* Text has no first bytes: these, too, may look like text/plain. */
static const char *const texts[] = {
	"application/json", "application/ld+json", "application/geo+json",
	"application/x-ndjson", "application/yaml", "application/x-yaml",
	"application/sql", "application/x-sql", "application/csv",
	"application/x-subrip", "application/x-sh", "application/x-python",
	"application/x-pem-file", "application/x-x509-ca-cert",
	"application/pkix-cert", "application/pgp-", "application/x-ofx",
	"application/vnd.ms-excel", /* a .csv, as Windows calls it */
	"application/octet-stream", "message/", "text/",
};

/* What always begins in a way that libmagic knows (not so office files). */
static const char *const known[] = {
	"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp",
	"application/pdf", "audio/ogg", "audio/flac", "audio/wav",
	"application/gzip",
};

static bool
is_token(const char *s, size_t len)
{
	if (len == 0 || len > TYPE_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!g_ascii_isalnum(s[i]) && strchr("!#$&-^_.+", s[i]) == NULL)
			return false;
	}
	return true;
}

char *
media_type_plain(const char *type)
{
	size_t len = strcspn(type, ";");
	g_autofree char *name = g_strstrip(g_ascii_strdown(type,
	    (gssize)len));
	const char *slash = strchr(name, '/');

	if (slash == NULL || !is_token(name, (size_t)(slash - name)) ||
	    !is_token(slash + 1, strlen(slash + 1)))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (strcmp(name, aliases[i][0]) == 0)
			return g_strdup(aliases[i][1]);
	}
	return g_steal_pointer(&name);
}

static bool
begins_with_any(const char *type, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (g_str_has_prefix(type, names[i]))
			return true;
	}
	return false;
}

static bool
is_container(const char *sniffed, const char *declared)
{
	for (size_t i = 0; i < G_N_ELEMENTS(containers); i++) {
		if (g_str_has_prefix(sniffed, containers[i][0]) &&
		    g_str_has_prefix(declared, containers[i][1]))
			return true;
	}
	return false;
}

/* libmagic has names for many kinds of text. */
static bool
is_text(const char *type)
{
	return g_str_has_prefix(type, "text/") ||
	    g_str_has_prefix(type, "message/") ||
	    strcmp(type, "application/json") == 0 ||
	    strcmp(type, "application/csv") == 0 ||
	    strcmp(type, "application/x-ndjson") == 0 ||
	    strcmp(type, "application/x-setupscript") == 0 ||
	    strcmp(type, "application/x-wine-extension-ini") == 0;
}

static bool
says_nothing(const char *type)
{
	return type == NULL || strcmp(type, "application/octet-stream") == 0 ||
	    strcmp(type, "binary/octet-stream") == 0;
}

bool
media_type_fits(const char *declared, const char *sniffed)
{
	if (says_nothing(declared) || strcmp(declared, sniffed) == 0)
		return true;
	if (says_nothing(sniffed))
		return !begins_with_any(declared, known, G_N_ELEMENTS(known));
	if (is_text(sniffed) &&
	    begins_with_any(declared, texts, G_N_ELEMENTS(texts)))
		return true;
	return is_container(sniffed, declared);
}

/* A name that says more than "some text" or "some archive". */
static const char *
better(const char *declared, const char *sniffed)
{
	if (says_nothing(declared) || !media_type_fits(declared, sniffed))
		return sniffed;
	if (says_nothing(sniffed) || is_container(sniffed, declared))
		return declared;
	return strcmp(sniffed, "text/plain") == 0 ? declared : sniffed;
}

/*
 * RFC 2046 section 5: a part of these types has parts of its own and must not
 * be encoded. As a file it is bytes.
 */
const char *
media_type_best(const char *declared, const char *sniffed)
{
	const char *best = better(declared, sniffed);

	return g_str_has_prefix(best, "message/") ||
	    g_str_has_prefix(best, "multipart/") ||
	    g_str_has_prefix(best, "inode/") ||
	    strcmp(best, "application/x-empty") == 0 ? "application/octet-stream" :
	    best;
}
