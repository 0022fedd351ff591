/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a recording plays, read from where its container says so: the last
 * page of an Ogg stream, the movie header of an MP4 file. Nothing is decoded
 * and little is read, however large the file. What cannot be read for sure is
 * not known: a wrong length would be worse than none.
 */
#include <string.h>
#include <unistd.h>

#include "media_int.h"

/* A page of Ogg is at most 65,307 bytes (RFC 3533 section 6). */
#define OGG_TAIL 65536
#define OGG_HEADER 27
#define OPUS_RATE 48000		/* of its granules, always: RFC 7845 section 4 */
/* The boxes of a file that are looked at: more than any program writes. */
#define MP4_BOXES 64
#define LONGEST_MS ((int64_t)7 * 24 * 3600 * 1000)

static uint64_t
little(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static uint64_t
big(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static bool
read_at(int fd, int64_t at, uint8_t *to, size_t len)
{
	return at >= 0 && pread(fd, to, len, at) == (ssize_t)len;
}

/* 0, not known, when it makes no sense. */
static int64_t
to_ms(uint64_t units, uint64_t rate)
{
	if (rate == 0 || units / rate > (uint64_t)LONGEST_MS / 1000)
		return 0;
	return (int64_t)(units * 1000 / rate);
}

/* ---- Ogg: RFC 3533; Opus in it: RFC 7845; Vorbis I, section 4.2.2 ------------- */

struct ogg {
	uint32_t serial;
	uint64_t skip, rate;
};

/* The first page holds the header of the only stream there may be. */
static bool
read_ogg(int fd, struct ogg *o)
{
	uint8_t page[OGG_HEADER + 1 + 19];
	const uint8_t *packet = page + OGG_HEADER + 1;

	if (!read_at(fd, 0, page, sizeof(page)) ||
	    memcmp(page, "OggS", 4) != 0 || page[26] != 1)
		return false;
	o->serial = (uint32_t)little(page + 14, 4);
	if (memcmp(packet, "OpusHead", 8) == 0) {
		o->skip = little(packet + 10, 2);
		o->rate = OPUS_RATE;
		return true;
	}
	o->skip = 0;
	o->rate = little(packet + 12, 4);
	return memcmp(packet, "\001vorbis", 7) == 0;
}

/* The position of the last page that ends a packet of the stream. */
static bool
last_granule(const struct ogg *o, const uint8_t *tail, size_t len,
    uint64_t *granule)
{
	for (size_t i = len >= OGG_HEADER ? len - OGG_HEADER + 1 : 0; i-- > 0;) {
		if (memcmp(tail + i, "OggS", 4) != 0 || tail[i + 4] != 0)
			continue;
		*granule = little(tail + i + 6, 8);
		if (little(tail + i + 14, 4) == o->serial &&
		    *granule != UINT64_MAX)
			return true;
	}
	return false;
}

static int64_t
ogg_length(int fd, int64_t size)
{
	g_autofree uint8_t *tail = g_malloc(OGG_TAIL);
	size_t len = (size_t)MIN(size, OGG_TAIL);
	uint64_t granule;
	struct ogg o;

	if (!read_ogg(fd, &o) ||
	    !read_at(fd, size - (int64_t)len, tail, len) ||
	    !last_granule(&o, tail, len, &granule) || granule < o.skip)
		return 0;
	return to_ms(granule - o.skip, o.rate);
}

/* ---- MP4: ISO/IEC 14496-12, sections 4.2 and 8.2.2 ------------------------------- */

struct box {
	int64_t at, end;	/* of what is in it */
};

/* The first box of this name between the two places. */
static bool
find_box(int fd, const struct box *in, const char *name, struct box *out)
{
	uint8_t head[16];
	int64_t at = in->at, size, header;

	for (int i = 0; i < MP4_BOXES && in->end - at >= 8; i++) {
		header = 8;
		if (!read_at(fd, at, head, 8))
			return false;
		size = (int64_t)big(head, 4);
		if (size == 0)		/* to the end of the file */
			size = in->end - at;
		if (size == 1) {
			header = 16;
			if (!read_at(fd, at, head, 16) || big(head + 8, 8) >
			    INT64_MAX)
				return false;
			size = (int64_t)big(head + 8, 8);
		}
		if (size < header || size > in->end - at)
			return false;
		*out = (struct box){ at + header, at + size };
		if (memcmp(head + 4, name, 4) == 0)
			return true;
		at += size;
	}
	return false;
}

static int64_t
mp4_length(int fd, int64_t size)
{
	struct box file = { 0, size }, movie, header;
	uint8_t h[32];

	if (!find_box(fd, &file, "moov", &movie) ||
	    !find_box(fd, &movie, "mvhd", &header) ||
	    header.end - header.at < (int64_t)sizeof(h) ||
	    !read_at(fd, header.at, h, sizeof(h)))
		return 0;
	/* All ones: the length is not known. */
	if (h[0] == 0)
		return big(h + 16, 4) == UINT32_MAX ? 0 :
		    to_ms(big(h + 16, 4), big(h + 12, 4));
	return h[0] != 1 || big(h + 24, 8) == UINT64_MAX ? 0 :
	    to_ms(big(h + 24, 8), big(h + 20, 4));
}

int64_t
media_length(int fd, int64_t size)
{
	uint8_t start[8];

	if (!read_at(fd, 0, start, sizeof(start)))
		return 0;
	if (memcmp(start, "OggS", 4) == 0)
		return ogg_length(fd, size);
	return memcmp(start + 4, "ftyp", 4) == 0 ? mp4_length(fd, size) : 0;
}
