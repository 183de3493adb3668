// A model's parent by its files: the folder's name and the hub's cache, the front matter of its README, or the keys
// of a GGUF file.  All of it is somebody else's text: only letters that can do no harm are taken over.
#include "model/parentage.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "io/bytes.h"
#include "io/file.h"

enum { FRONT = 1 << 16 }; // bytes of a README that are looked at

static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+";
static const char SPACED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+ ()";
static const char LINK[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+:/~%#?&=@";

// Copy when it fits and has only the letters allowed.
static void take(char *out, size_t capacity, const char *text, size_t size, const char *allowed)
{
    char copy[512];

    if (!size || size >= capacity || size >= sizeof copy)
        return;
    memcpy(copy, text, size);
    copy[size] = 0;
    if (strspn(copy, allowed) == size)
        memcpy(out, copy, size + 1);
}

void dpi_clean_name(char *out, size_t capacity, const char *text, size_t size)
{
    char copy[512];

    if (size >= sizeof copy)
        size = sizeof copy - 1;
    memcpy(copy, text, size);
    copy[size] = 0;
    dpi_clean_text(out, capacity, copy);
    for (char *at = out; (at = strstr(at, "\xef\xbf")); at += 2)
        if ((unsigned char)at[2] >= 0xbe)
            memcpy(at, "???", 3);
}

static void take_name(dpi_parentage *out, const char *text, size_t size)
{
    dpi_clean_name(out->name, sizeof out->name, text, size);
}

// "organization/name", each of plain letters and not only dots.
static void take_hub(dpi_parentage *out, const char *text, size_t size)
{
    const char *slash = memchr(text, '/', size);
    const size_t head = slash ? (size_t)(slash - text) : 0;
    char owner[96] = "", name[96] = "";

    if (!slash)
        return;
    take(owner, sizeof owner, text, head, PLAIN);
    take(name, sizeof name, slash + 1, size - head - 1, PLAIN);
    if (!owner[0] || !name[0] || owner[0] == '.' || name[0] == '.')
        return;
    snprintf(out->hub, sizeof out->hub, "%s/%s", owner, name);
    snprintf(out->url, sizeof out->url, "https://huggingface.co/%s", out->hub);
}

// The hub's cache lies in folders "models--organization--name/snapshots/HASH".
static void take_place(dpi_parentage *out, const char *place)
{
    static const char mark[] = "/models--", below[] = "/snapshots/";
    const char *at = strstr(place, mark), *end = at ? strstr(at, below) : NULL;
    const char *slash = strrchr(place, '/');
    char id[192] = "";

    take_name(out, slash ? slash + 1 : place, strlen(slash ? slash + 1 : place));
    if (!end || end - at > (int)sizeof id)
        return;
    at += sizeof mark - 1;
    snprintf(id, sizeof id, "%.*s", (int)(end - at), at);
    char *const split = strstr(id, "--");
    if (!split)
        return;
    *split = '/';
    memmove(split + 1, split + 2, strlen(split + 2) + 1);
    take_hub(out, id, strlen(id));
    if (out->hub[0])
        take_name(out, split + 1, strlen(split + 1));
}

// A value of the front matter without blanks, quotes and the dash of a list.
static void trim(const char **text, size_t *size)
{
    while (*size && strchr(" \t-", **text)) {
        ++*text;
        --*size;
    }
    while (*size && strchr(" \t\r", (*text)[*size - 1]))
        --*size;
    if (*size >= 2 && (**text == '"' || **text == '\'') && (*text)[*size - 1] == **text) {
        ++*text;
        *size -= 2;
    }
}

static void take_setting(dpi_parentage *out, const char *key, size_t key_size, const char *value, size_t size)
{
    trim(&value, &size);
    if (key_size == 7 && memcmp(key, "license", 7) == 0 && !out->license[0])
        take(out->license, sizeof out->license, value, size, PLAIN);
    if (key_size == 12 && memcmp(key, "license_name", 12) == 0)
        take(out->license_name, sizeof out->license_name, value, size, SPACED);
    if (key_size == 12 && memcmp(key, "license_link", 12) == 0)
        take(out->license_link, sizeof out->license_link, value, size, LINK);
}

// Lines between two of "---": "key: value", or "key:" and a list of which the first counts.
static void take_front(dpi_parentage *out, const char *text, size_t size)
{
    const char *key = NULL, *const end = text + size;
    size_t key_size = 0;

    for (int first = 1; text < end; first = 0) {
        const char *line = text, *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            return; // the front matter has no end
        text = stop + 1;
        const size_t length = (size_t)(stop - line) - (stop > line && stop[-1] == '\r');
        if ((length == 3 && memcmp(line, "---", 3) == 0) != first)
            return; // its end, or there is none
        const char *colon = memchr(line, ':', length);
        if (length && strchr(" -", *line)) {
            if (key)
                take_setting(out, key, key_size, line, length);
            continue;
        }
        key = colon ? line : NULL;
        key_size = colon ? (size_t)(colon - line) : 0;
        if (colon)
            take_setting(out, key, key_size, colon + 1, (size_t)(line + length - colon - 1));
    }
}

static int read_card(const dpi_source *source, dp_context *context, dpi_parentage *out, dp_error *error)
{
    char *path = dpi_path_join(&context->memory, source->place, "README.md", error);
    dpi_storage *storage = NULL;
    dp_error unread;

    if (!path)
        return DP_E_MEMORY;
    const int rc = dpi_path_exists(path) ? dpi_file_open(&storage, context, path, 0, &unread) : DP_OK;
    dpi_free(&context->memory, path);
    if (storage) {
        const uint64_t size = dpi_storage_size(storage);
        take_front(out, (const char *)dpi_storage_bytes(storage), size < FRONT ? (size_t)size : FRONT);
    }
    dpi_storage_drop(storage);
    return rc == DP_E_MEMORY ? dpi_fail(error, DP_E_MEMORY, "%s", unread.message) : DP_OK;
}

// The bytes of a string key; anything else is as if it were not there.
static const char *key_text(const dpi_gguf *file, const char *key, size_t *size)
{
    const dpi_gguf_entry *entry = dpi_gguf_find(file, key);
    const unsigned char *cursor = entry ? entry->data : NULL;
    const char *text = "";

    *size = 0;
    if (entry && entry->type == DPI_GGUF_STRING)
        dpi_gguf_next(&cursor, &text, size);
    return text;
}

static void take_keys(dpi_parentage *out, const dpi_gguf *file)
{
    size_t size = 0;
    const char *text = key_text(file, "general.name", &size);

    if (size)
        take_name(out, text, size);
    text = key_text(file, "general.source.huggingface.repository", &size);
    take_hub(out, text, size);
    text = key_text(file, "general.source.url", &size);
    take(out->url, sizeof out->url, text, size, LINK);
    text = key_text(file, "general.repo_url", &size);
    take(out->url, sizeof out->url, text, size, LINK);
    text = key_text(file, "general.license", &size);
    take(out->license, sizeof out->license, text, size, PLAIN);
    text = key_text(file, "general.license.name", &size);
    take(out->license_name, sizeof out->license_name, text, size, SPACED);
    text = key_text(file, "general.license.link", &size);
    take(out->license_link, sizeof out->license_link, text, size, LINK);
}

int dpi_parentage_read(const dpi_source *source, dp_context *context, dpi_parentage *out, dp_error *error)
{
    memset(out, 0, sizeof *out);
    if (!source->place)
        return DP_OK;
    take_place(out, source->place);
    if (source->gguf) {
        take_keys(out, source->gguf);
        return DP_OK;
    }
    return read_card(source, context, out, error);
}
