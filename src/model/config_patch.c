// config.json of a pruned directory: the source's text with the number of blocks, lists of one element a block and
// the element type changed in place.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/count.h"
#include "model/members.h"
#include "model/save.h"

typedef struct patch {
    const dpi_save *save;
    const char *text;
    size_t size;
    size_t copied; // bytes of text already in out
    dpi_text *out;
    dp_error *error;
    int counted; // num_hidden_layers was met
} patch;

static int is_key(const dpi_member *member, const char *key)
{
    return member->key_size == strlen(key) && memcmp(member->key, key, member->key_size) == 0;
}

static int copy_to(patch *p, size_t end)
{
    const size_t begin = p->copied;

    p->copied = end;
    return dpi_text_add(p->out, p->text + begin, end - begin, p->error);
}

static int replace(patch *p, const dpi_member *member, const char *value)
{
    const int rc = copy_to(p, member->begin);

    p->copied = member->end;
    return rc ? rc : dpi_text_add(p->out, value, strlen(value), p->error);
}

static size_t count_elements(const patch *p, const dpi_member *list)
{
    dpi_member element;
    size_t cursor = 0, count = 0;

    while (dpi_member_next(p->text, p->size, list->begin, &cursor, &element))
        count++;
    return count;
}

// Lists that are never one element a block, however long they happen to be.
static int is_other_list(const dpi_member *member)
{
    static const char end[] = "_token_id";
    const size_t size = sizeof end - 1;

    return is_key(member, "architectures") || is_key(member, "keys_to_ignore_at_inference") ||
           (member->key_size >= size && memcmp(member->key + member->key_size - size, end, size) == 0);
}

// Elements go with the blanks before them, so that the list keeps its look.
static int slice(patch *p, const dpi_member *list)
{
    const dp_model *model = p->save->model;
    dpi_member element;
    size_t cursor = 0, end = list->begin + 1;
    int32_t index = 0, kept = 0;
    int rc = copy_to(p, list->begin + 1);

    while (!rc && dpi_member_next(p->text, p->size, list->begin, &cursor, &element)) {
        const size_t begin = index ? end + 1 : end; // past the comma
        const int keep = kept < model->config.blocks && model->blocks[kept].origin == index++;
        end = element.end;
        while (p->text[end] != ',' && p->text[end] != ']')
            end++;
        if (keep && kept++ > 0)
            rc = dpi_text_add(p->out, ",", 1, p->error);
        if (keep && !rc)
            rc = dpi_text_add(p->out, p->text + begin, element.end - begin, p->error);
    }
    p->copied = element.end; // of the last: the blanks before the bracket stay
    dpi_log(model->context, DP_LOG_NOTE, "config.json: the list \"%.*s\" is cut to the kept blocks",
            (int)list->key_size, list->key);
    return rc;
}

static int patch_member(patch *p, const dpi_member *member)
{
    const dp_model *model = p->save->model;
    const char *types[] = {[DP_F32] = "\"float32\"", [DP_F16] = "\"float16\"", [DP_BF16] = "\"bfloat16\""};
    char number[16];

    if (is_key(member, "num_hidden_layers")) {
        p->counted = 1;
        snprintf(number, sizeof number, "%d", (int)model->config.blocks);
        return replace(p, member, number);
    }
    if ((is_key(member, "torch_dtype") || is_key(member, "dtype")) && p->text[member->begin] == '"' &&
        p->save->matrix_type != dpi_model_type(model))
        return replace(p, member, types[p->save->matrix_type]);
    if (p->save->pruned && p->text[member->begin] == '[' && !is_other_list(member) &&
        count_elements(p, member) == (size_t)model->source->config.blocks)
        return slice(p, member);
    return DP_OK;
}

int dpi_config_patch(const dpi_save *save, dpi_text *out, dp_error *error)
{
    const dpi_source *source = save->model->source;
    const dpi_place place = {.file = source->path, .item = "num_hidden_layers", .offset = -1};
    patch p = {.save = save, .text = source->config_text, .size = source->config_size, .out = out, .error = error};
    dpi_member member;
    size_t cursor = 0, open = 0;
    int rc = DP_OK;

    while (p.text[open] != '{') // the text was read as an object before
        open++;
    while (!rc && dpi_member_next(p.text, p.size, open, &cursor, &member))
        rc = patch_member(&p, &member);
    if (!rc && !p.counted)
        return dpi_fail_at(error, DP_E_UNSUPPORTED, &place,
                           "the key is written with escapes and cannot be changed");
    return rc ? rc : copy_to(&p, p.size);
}
