// The general.* keys of a GGUF file out.  A pruned model is another model than its source: it has a name and a size of
// its own and says what it was made from, and the source's own address and ancestors stay behind.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/save.h"

typedef struct keys {
    dpi_gguf_out *out;
    dp_error *error;
    int rc;
} keys;

int dpi_general_replaced(const dpi_gguf_entry *entry)
{
    static const char *const gone[] = {"general.base_model.", "general.source.", "general.url",  "general.repo_url",
                                       "general.doi",         "general.uuid",    "general.name", "general.size_label"};

    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        const size_t size = strlen(gone[i]);
        const int folder = gone[i][size - 1] == '.';
        if ((folder ? entry->key_size > size : entry->key_size == size) && memcmp(entry->key, gone[i], size) == 0)
            return 1;
    }
    return 0;
}

static void put(keys *k, const char *key, const char *value)
{
    if (!k->rc && value[0])
        k->rc = dpi_gguf_put_string(k->out, key, value, strlen(value), k->error);
}

// "135M", "1.1B": at least two digits.
static void put_size(keys *k, uint64_t parameters)
{
    static const struct {
        double unit;
        char letter;
    } units[] = {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {1e3, 'K'}};
    char text[32];
    size_t i = 0;

    while (i < 3 && (double)parameters < units[i].unit)
        i++;
    const long tenths = lround((double)parameters / units[i].unit * 10);
    if (tenths < 100)
        snprintf(text, sizeof text, "%ld.%ld%c", tenths / 10, tenths % 10, units[i].letter);
    else
        snprintf(text, sizeof text, "%ld%c", (tenths + 5) / 10, units[i].letter);
    put(k, "general.size_label", text);
}

// Where the name ends when " (24 of 30 blocks)" is behind it.
static size_t bare_name(const char *name)
{
    static const char digits[] = "0123456789", middle[] = " of ", end[] = " blocks)";
    const char *open = strrchr(name, '('), *at = open;

    if (!open || open == name || open[-1] != ' ')
        return strlen(name);
    at += 1 + strspn(at + 1, digits);
    if (strncmp(at, middle, sizeof middle - 1) != 0)
        return strlen(name);
    at += sizeof middle - 1;
    at += strspn(at, digits);
    return strcmp(at, end) == 0 ? (size_t)(open - 1 - name) : strlen(name);
}

// The source's name with what was kept; of a source that was itself pruned, in the place of what it kept.
static void put_pruned_name(keys *k, const dpi_save *save)
{
    const char *name = save->parentage.name[0] ? save->parentage.name : "model";
    char text[sizeof save->parentage.name + 48];

    snprintf(text, sizeof text, "%.*s (%d of %d blocks)", (int)bare_name(name), name, (int)save->model->config.blocks,
             (int)save->model->source->config.blocks);
    put(k, "general.name", text);
}

static void put_base(keys *k, const dpi_save *save)
{
    const dpi_parentage *parent = &save->parentage;

    if (!parent->name[0])
        return;
    if (!k->rc)
        k->rc = dpi_gguf_put_u32(k->out, "general.base_model.count", 1, k->error);
    put(k, "general.base_model.0.name", parent->name);
    put(k, "general.base_model.0.repo_url", parent->url);
}

int dpi_save_general(const dpi_save *save, dpi_gguf_out *out, dp_error *error)
{
    const dpi_parentage *parent = &save->parentage;
    keys k = {.out = out, .error = error};

    if (save->model->source->gguf && !save->pruned)
        return DP_OK;
    if (save->pruned)
        put_pruned_name(&k, save);
    else
        put(&k, "general.name", parent->name[0] ? parent->name : "model");
    put_size(&k, save->parameters);
    if (save->pruned)
        put_base(&k, save);
    if (save->model->source->gguf)
        return k.rc;
    put(&k, "general.license", parent->license);
    put(&k, "general.license.name", parent->license_name);
    put(&k, "general.license.link", parent->license_link);
    return k.rc;
}
