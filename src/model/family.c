// The table of model families: a family is one line here.
#include "model/family.h"

#include <string.h>

#include "base/error.h"

static const dpi_family families[] = {
    {.name = "llama",
     .class_name = "LlamaForCausalLM",
     .model_type = "llama",
     .permuted = 1,
     .context = 2048,
     .rope_base = 10000.0,
     .epsilon = 1e-6},
};

enum { COUNT = sizeof families / sizeof *families, KNOWN_ROOM = 128 };

// The names of one column of the table, with commas between.
static void list_known(char known[KNOWN_ROOM], size_t column)
{
    size_t used = 0;

    known[0] = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const char *name;
        memcpy(&name, (const char *)&families[i] + column, sizeof name);
        const size_t size = strlen(name);
        if (used + size + 3 > KNOWN_ROOM)
            return;
        if (used) {
            memcpy(known + used, ", ", 2);
            used += 2;
        }
        memcpy(known + used, name, size + 1);
        used += size;
    }
}

static int find(const dpi_family **out, size_t column, const char *text, size_t size, const dpi_place *place,
                dp_error *error)
{
    char known[KNOWN_ROOM];

    for (size_t i = 0; i < COUNT; i++) {
        const char *name;
        memcpy(&name, (const char *)&families[i] + column, sizeof name);
        if (strlen(name) == size && memcmp(name, text, size) == 0) {
            *out = &families[i];
            return DP_OK;
        }
    }
    list_known(known, column);
    return dpi_fail_at(error, DP_E_UNSUPPORTED, place, "the model is of the family \"%.*s\", this version reads %s",
                       (int)(size < 80 ? size : 80), text, known);
}

int dpi_family_of_class(const dpi_family **out, const char *class_name, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "architectures", .offset = -1};

    return find(out, offsetof(dpi_family, class_name), class_name, strlen(class_name), &place, error);
}

int dpi_family_of_type(const dpi_family **out, const char *model_type, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "model_type", .offset = -1};

    return find(out, offsetof(dpi_family, model_type), model_type, strlen(model_type), &place, error);
}

int dpi_family_of_gguf(const dpi_family **out, const char *name, size_t size, const char *file, dp_error *error)
{
    const dpi_place place = {.file = file, .item = "general.architecture", .offset = -1};

    return find(out, offsetof(dpi_family, name), name, size, &place, error);
}
