// JSON: what is read is written so that it reads back equal, and the walker of members sees what the parser sees.
#include "io/json.h"
#include "model/members.h"
#include "test/fuzz/fuzz.h"

static void check_members(const json_t *value, const char *text, size_t size)
{
    const size_t wanted = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    size_t open = 0, cursor = 0, count = 0;
    dpi_member member;

    while (text[open] != '{' && text[open] != '[')
        open++;
    while (dpi_member_next(text, size, open, &cursor, &member)) {
        require(member.begin < member.end && member.end <= size && member.begin > open);
        count++;
    }
    require(count == wanted && cursor < size && text[cursor] == (text[open] == '{' ? '}' : ']'));
    require(dpi_member_line(text, size, "a") <= (int32_t)size);
}

static void check_readers(const json_t *root)
{
    static const char *const keys[] = {"a", "b", "c"};
    int64_t whole = 7;
    double real = 7;
    int flag = 7;
    const char *string = NULL;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        dp_error error = {.code = DP_OK};
        int rc = dpi_json_int(root, keys[i], 1, -9, 9, &whole, "fuzz", &error);
        require(rc ? whole == 7 : whole >= -9 && whole <= 9);
        whole = 7;
        if (rc)
            fuzz_failed(rc, &error);
        rc = dpi_json_real(root, keys[i], 0, &real, "fuzz", &error);
        require(!rc || real == 7);
        real = 7;
        rc = dpi_json_bool(root, keys[i], 0, &flag, "fuzz", &error);
        require(!rc || flag == 7);
        flag = 7;
        rc = dpi_json_string(root, keys[i], 0, &string, "fuzz", &error);
        require(!rc || !string);
        string = NULL;
    }
}

static void check_text(const json_t *root)
{
    char *text = NULL, *again = NULL;
    size_t size = 0, more = 0;
    json_t *back = NULL;
    dpi_memory *const memory = &fuzz_context()->memory;

    require(dpi_json_text(root, memory, &text, &size, NULL) == DP_OK);
    require(dpi_json_parse(&back, text, size, "fuzz", NULL) == DP_OK && json_equal(root, back));
    require(dpi_json_text(back, memory, &again, &more, NULL) == DP_OK);
    require(size == more && memcmp(text, again, size) == 0);
    json_decref(back);
    dpi_free(memory, text);
    dpi_free(memory, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t used = fuzz_context()->memory.used;
    char *const text = fuzz_copy(data, size);
    dp_error error = {.code = DP_OK};
    json_t *root = NULL;
    const int rc = dpi_json_parse(&root, text, size, "fuzz", &error);

    if (rc) {
        require(root == NULL && error.offset <= (int64_t)size);
        fuzz_failed(rc, &error);
    } else {
        check_members(root, text, size);
        check_readers(root);
        check_text(root);
        json_decref(root);
    }
    free(text);
    require(fuzz_context()->memory.used == used);
    return 0;
}
