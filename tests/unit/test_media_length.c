/* SPDX-License-Identifier: Apache-2.0 */
/* media: how long a recording plays, by what its container says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/media/media_int.h"

/* What opusinfo says of tests/demo/note.ogg: 0m:04.151s. */
#define NOTE_MS 4151

/* ---- files ------------------------------------------------------------------------ */

static int64_t
length_of(const void *bytes, size_t len)
{
	int fd = memfd_create("recording", 0);
	int64_t ms;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	ms = media_length(fd, (int64_t)len);
	close(fd);
	return ms;
}

static int64_t
length_of_string(const GByteArray *b)
{
	return length_of(b->data, b->len);
}

static void
put(GByteArray *b, const void *data, size_t len)
{
	g_byte_array_append(b, data, (guint)len);
}

static void
put_little(GByteArray *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++, v >>= 8)
		put(b, &(uint8_t){ (uint8_t)v }, 1);
}

static void
put_big(GByteArray *b, uint64_t v, int bytes)
{
	for (int i = bytes; i-- > 0;)
		put(b, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

static void
put_zeros(GByteArray *b, size_t len)
{
	g_autofree uint8_t *zeros = g_malloc0(len);

	put(b, zeros, len);
}

/* ---- Ogg --------------------------------------------------------------------------- */

static void
put_page(GByteArray *b, uint64_t granule, uint32_t serial,
    const GByteArray *packet)
{
	put(b, "OggS\0\0", 6);
	put_little(b, granule, 8);
	put_little(b, serial, 4);
	put_zeros(b, 8);	/* sequence, checksum */
	put_little(b, 1, 1);
	put_little(b, packet->len, 1);
	put(b, packet->data, packet->len);
}

static GByteArray *
opus_head(unsigned skip)
{
	GByteArray *p = g_byte_array_new();

	put(p, "OpusHead\1\1", 10);
	put_little(p, skip, 2);
	put_little(p, 16000, 4);	/* of the input: says nothing */
	put_zeros(p, 3);
	return p;
}

static GByteArray *
vorbis_head(uint32_t rate)
{
	GByteArray *p = g_byte_array_new();

	put(p, "\1vorbis", 7);
	put_zeros(p, 4);
	put_little(p, 1, 1);
	put_little(p, rate, 4);
	put_zeros(p, 14);
	return p;
}

/* Takes the header over; pages of sound follow with these granules. */
static GByteArray *
ogg(GByteArray *head, const uint64_t *granules, size_t n)
{
	GByteArray *b = g_byte_array_new();
	g_autoptr(GByteArray) sound = g_byte_array_new();

	put_zeros(sound, 200);
	put_page(b, 0, 7, head);
	for (size_t i = 0; i < n; i++)
		put_page(b, granules[i], 7, sound);
	g_byte_array_unref(head);
	return b;
}

static void
a_voice_message_plays_as_long_as_its_last_page_says(void **state)
{
	const uint64_t granules[] = { 48000, 96000, 3 * 48000 + 312 };
	g_autoptr(GByteArray) b = ogg(opus_head(312), granules, 3);

	(void)state;
	assert_int_equal(length_of_string(b), 3000);
}

static void
a_real_voice_message_has_the_length_its_player_shows(void **state)
{
	const char *src = getenv("SRCDIR");
	g_autofree char *path = g_build_filename(src != NULL ? src : ".",
	    "tests", "demo", "note.ogg", NULL);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_in_range(media_length(fd, st.st_size), NOTE_MS - 5,
	    NOTE_MS + 5);
	close(fd);
}

static void
vorbis_counts_by_its_own_rate(void **state)
{
	const uint64_t granules[] = { 44100 };
	g_autoptr(GByteArray) b = ogg(vorbis_head(22050), granules, 1);

	(void)state;
	assert_int_equal(length_of_string(b), 2000);
}

static void
a_page_that_ends_no_packet_and_one_of_another_stream_do_not_count(void **state)
{
	const uint64_t granules[] = { 48000, UINT64_MAX };
	g_autoptr(GByteArray) b = ogg(opus_head(0), granules, 2);
	g_autoptr(GByteArray) sound = g_byte_array_new();

	(void)state;
	put_zeros(sound, 9);
	put_page(b, 48000 * 99, 8, sound);
	assert_int_equal(length_of_string(b), 1000);
}

static void
an_ogg_that_makes_no_sense_has_no_length(void **state)
{
	const uint64_t early[] = { 100 }, never[] = { UINT64_MAX },
	    huge[] = { UINT64_MAX - 1 };
	const struct {
		GByteArray *head;
		const uint64_t *granules;
	} rows[] = {
		{ opus_head(312), early },	/* ends before it begins */
		{ opus_head(0), never },
		{ opus_head(0), huge },
		{ vorbis_head(0), early },	/* no samples a second */
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) b = ogg(rows[i].head, rows[i].granules,
		    1);

		assert_int_equal(length_of_string(b), 0);
	}
}

/* ---- MP4 ---------------------------------------------------------------------------- */

static void
put_box(GByteArray *b, const char *name, const GByteArray *in)
{
	put_big(b, 8 + in->len, 4);
	put(b, name, 4);
	put(b, in->data, in->len);
}

static GByteArray *
movie_header(int version, uint32_t scale, uint64_t length)
{
	GByteArray *h = g_byte_array_new();

	put_big(h, (uint64_t)version << 24, 4);
	put_zeros(h, version == 0 ? 8 : 16);
	put_big(h, scale, 4);
	put_big(h, length, version == 0 ? 4 : 8);
	put_zeros(h, 80);
	return h;
}

/* The movie comes behind a gap of data, as phones write it. */
static GByteArray *
mp4(int version, uint32_t scale, uint64_t length, size_t gap)
{
	GByteArray *b = g_byte_array_new();
	g_autoptr(GByteArray) brand = g_byte_array_new();
	g_autoptr(GByteArray) data = g_byte_array_new();
	g_autoptr(GByteArray) movie = g_byte_array_new();
	g_autoptr(GByteArray) header = movie_header(version, scale, length);

	put(brand, "isom\0\0\2\0", 8);
	put_zeros(data, gap);
	put_box(b, "ftyp", brand);
	put_box(b, "mdat", data);
	put_box(movie, "mvhd", header);
	put_box(b, "moov", movie);
	return b;
}

static void
a_video_plays_as_long_as_its_movie_header_says(void **state)
{
	g_autoptr(GByteArray) b = mp4(0, 1000, 12345, 1000000);

	(void)state;
	assert_int_equal(length_of_string(b), 12345);
}

static void
the_longer_form_of_the_header_is_read_too(void **state)
{
	g_autoptr(GByteArray) b = mp4(1, 90000, UINT64_C(90000) * 7200, 10);

	(void)state;
	assert_int_equal(length_of_string(b), 7200000);
}

static void
an_mp4_that_makes_no_sense_has_no_length(void **state)
{
	const struct {
		int version;
		uint32_t scale;
		uint64_t length;
	} rows[] = { { 0, 0, 5 }, { 0, 1, UINT32_MAX }, { 0, 1, 999999999 },
		{ 0, 1000, 0 },
		{ 1, 1000, UINT64_MAX }, { 2, 1000, 5 } };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) b = mp4(rows[i].version, rows[i].scale,
		    rows[i].length, 10);

		assert_int_equal(length_of_string(b), 0);
	}
}

/* A box that says it is larger, smaller than its head, or there without end. */
static void
boxes_that_lie_about_their_size_are_not_followed(void **state)
{
	static const uint32_t sizes[] = { 0x7fffffff, 0xffffffff, 7, 2, 1 };
	g_autoptr(GByteArray) many = g_byte_array_new();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GByteArray) b = mp4(0, 1000, 5, 10);

		for (int k = 0; k < 4; k++)	/* of "mdat" */
			b->data[16 + k] = (uint8_t)(sizes[i] >> 8 * (3 - k));
		assert_int_equal(length_of_string(b), 0);
	}
	put(many, "\0\0\0\x08" "ftyp", 8);
	for (int i = 0; i < 100000; i++)
		put(many, "\0\0\0\x08" "free", 8);
	assert_int_equal(length_of_string(many), 0);
}

/* ---- anything ------------------------------------------------------------------------ */

static void
a_file_that_is_cut_anywhere_is_no_danger(void **state)
{
	const uint64_t granules[] = { 48000 };
	g_autoptr(GByteArray) a = ogg(opus_head(312), granules, 1);
	g_autoptr(GByteArray) b = mp4(0, 1000, 5, 10);

	(void)state;
	for (guint i = 0; i < a->len; i++)
		assert_in_range(length_of(a->data, i), 0, 1000);
	for (guint i = 0; i < b->len; i++)
		assert_in_range(length_of(b->data, i), 0, 5);
}

static void
other_files_have_no_length(void **state)
{
	(void)state;
	assert_int_equal(length_of("", 0), 0);
	assert_int_equal(length_of("%PDF-1.4 and so on", 18), 0);
	assert_int_equal(length_of("\x89PNG\r\n\x1a\n........", 16), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_voice_message_plays_as_long_as_its_last_page_says),
		cmocka_unit_test(
		    a_real_voice_message_has_the_length_its_player_shows),
		cmocka_unit_test(vorbis_counts_by_its_own_rate),
		cmocka_unit_test(
	    a_page_that_ends_no_packet_and_one_of_another_stream_do_not_count),
		cmocka_unit_test(an_ogg_that_makes_no_sense_has_no_length),
		cmocka_unit_test(
		    a_video_plays_as_long_as_its_movie_header_says),
		cmocka_unit_test(the_longer_form_of_the_header_is_read_too),
		cmocka_unit_test(an_mp4_that_makes_no_sense_has_no_length),
		cmocka_unit_test(
		    boxes_that_lie_about_their_size_are_not_followed),
		cmocka_unit_test(a_file_that_is_cut_anywhere_is_no_danger),
		cmocka_unit_test(other_files_have_no_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
