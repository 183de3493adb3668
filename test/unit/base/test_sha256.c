// SHA-256: the vectors of FIPS 180-4, texts given in pieces, and both codes alike.  The processor's instructions
// are asked for at the first piece of 16 KiB, so tests of them begin with one.
#include "base/sha256.h"

#include <string.h>

#include "test/run.h"

static void digest(const void *bytes, size_t size, int portable, size_t piece, char text[65])
{
    const char *from = bytes;
    dpi_sha256 hash;

    dpi_sha256_begin(&hash);
    ck_assert_int_eq(hash.instructions, -1);
    if (portable)
        hash.instructions = 0;
    for (size_t at = 0; at < size; at += piece)
        dpi_sha256_add(&hash, from + at, size - at < piece ? size - at : piece);
    dpi_sha256_end(&hash, text);
}

static void expect(const char *bytes, const char *text)
{
    char found[65];

    for (int portable = 0; portable < 2; portable++) {
        digest(bytes, strlen(bytes), portable, 1000, found);
        ck_assert_str_eq(found, text);
    }
}

START_TEST(gives_the_digests_of_the_standard)
{
    expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
           "mnopqrstnopqrstu",
           "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}
END_TEST

START_TEST(gives_the_digest_of_a_million_letters)
{
    static char letters[1000000];
    char found[65];

    memset(letters, 'a', sizeof letters);
    for (int portable = 0; portable < 2; portable++) {
        digest(letters, sizeof letters, portable, 50000, found);
        ck_assert_str_eq(found, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
END_TEST

START_TEST(does_not_depend_on_the_pieces)
{
    unsigned char bytes[300];
    char whole[65], pieces[65];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 3);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        digest(bytes, size, 1, sizeof bytes, whole);
        for (size_t piece = 1; piece < 140; piece += 23) {
            digest(bytes, size, 0, piece, pieces);
            ck_assert_str_eq(pieces, whole);
        }
    }
}
END_TEST

START_TEST(does_not_depend_on_the_code)
{
    static unsigned char bytes[70000];
    char portable[65], own[65];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 3);
    for (size_t size = 20000; size < sizeof bytes; size += 997) {
        digest(bytes, size, 1, sizeof bytes, portable);
        digest(bytes, size, 0, 19001, own);
        ck_assert_str_eq(own, portable);
    }
}
END_TEST

START_TEST(takes_nothing_as_no_bytes)
{
    char text[65];
    dpi_sha256 hash;

    dpi_sha256_begin(&hash);
    dpi_sha256_add(&hash, NULL, 0);
    dpi_sha256_end(&hash, text);
    ck_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gives_the_digests_of_the_standard, gives_the_digest_of_a_million_letters,
                                  does_not_depend_on_the_pieces, does_not_depend_on_the_code,
                                  takes_nothing_as_no_bytes};
    return dpt_run("base/sha256", tests, sizeof tests / sizeof *tests);
}
