// README.md of a saved directory: front matter for the model hub, then what the model is, what was removed and why,
// and how to make it again.  Names are other people's text: they stand in quotes, or in code spans without backticks.
#include <depthprune/version.h>
#include <string.h>

#include "base/error.h"
#include "io/json.h"
#include "model/count.h"
#include "model/save.h"

enum { NAME = 200, LONGEST_CALIBRATION = 4096 };

typedef struct card {
    const dpi_save *save;
    const json_t *plan; // an object, or NULL
    int32_t *removed;   // of the source's blocks
    int32_t count;
    dpi_text *out;
    dp_error *error;
    int rc;
} card;

// At most 1023 bytes.
static void __attribute__((format(printf, 2, 3))) put(card *c, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    dpi_vformat(text, sizeof text, format, args);
    va_end(args);
    if (!c->rc)
        c->rc = dpi_text_add(c->out, text, strlen(text), c->error);
}

static void put_quoted(card *c, const char *key, const char *value)
{
    if (!value[0])
        return;
    put(c, "%s: ", key);
    if (!c->rc)
        c->rc = dpi_json_quote(c->out, value, strlen(value), c->error); // YAML reads JSON's strings
    put(c, "\n");
}

// The last part of a path, harmless inside a code span.
static void last_part(const char *path, char out[NAME])
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    size_t begin = size;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    dpi_clean_name(out, NAME, size > begin ? path + begin : "model", size > begin ? size - begin : 5);
    for (char *at = out; (at = strchr(at, '`'));)
        *at = '\'';
}

// For a command line: in quotes unless it is plain.
static void put_argument(card *c, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-";

    if (name[0] && name[0] != '-' && strspn(name, plain) == strlen(name)) {
        put(c, " %s", name);
        return;
    }
    put(c, " '");
    for (const char *at = name; *at; at++)
        put(c, *at == '\'' ? "'\\''" : "%c", *at);
    put(c, "'");
}

static const char *parent_name(const card *c)
{
    const dpi_parentage *parent = &c->save->parentage;

    return parent->hub[0] ? parent->hub : parent->name;
}

static void put_front(card *c)
{
    const dpi_parentage *parent = &c->save->parentage;

    put(c, "---\n");
    put_quoted(c, "base_model", parent_name(c));
    put(c, "library_name: transformers\npipeline_tag: text-generation\n");
    if (c->count || c->plan)
        put(c, "tags:\n- depth-pruned\n");
    put_quoted(c, "license", parent->license);
    put_quoted(c, "license_name", parent->license_name);
    put_quoted(c, "license_link", parent->license_link);
    put(c, "---\n\n");
}

static void put_parent(card *c)
{
    const dpi_parentage *parent = &c->save->parentage;
    char name[NAME];

    last_part(parent->name, name);
    if (parent->url[0] && parent->hub[0])
        put(c, "[`%s`](%s)", parent->hub, parent->url);
    else if (parent->name[0])
        put(c, "`%s`", name);
    else
        put(c, "a model from a program's memory");
}

static void put_numbers(card *c)
{
    const dp_model *model = c->save->model;
    const dpi_source *source = model->source;
    uint64_t parameters = c->save->parameters;

    for (int32_t i = 0; i < c->count; i++)
        for (int slot = 0; slot < DPI_BLOCK_WEIGHTS; slot++)
            if (source->blocks[c->removed[i]].weights[slot])
                parameters += (uint64_t)dpi_tensor_count(source->blocks[c->removed[i]].weights[slot]);
    put(c, "| | parent | this model |\n|---|---|---|\n| blocks | %d | %d |\n", (int)source->config.blocks,
        (int)model->config.blocks);
    put(c, "| parameters | %llu | %llu (%.1f %%) |\n\n", (unsigned long long)parameters,
        (unsigned long long)c->save->parameters, 100.0 * (double)c->save->parameters / (double)parameters);
}

static void put_blocks(card *c)
{
    const int32_t blocks = c->save->model->source->config.blocks;
    int32_t at = 0;

    put(c, "Blocks are numbered from 0, as in the parent.\n\nRemoved: ");
    for (int32_t i = 0; i < c->count; i++)
        put(c, "%s%d", i ? ", " : "", (int)c->removed[i]);
    put(c, ".\nKept: ");
    for (int32_t block = 0, first = 1; block < blocks; block++) {
        if (at < c->count && c->removed[at] == block) {
            at++;
            continue;
        }
        put(c, "%s%d", first ? "" : ", ", (int)block);
        first = 0;
    }
    put(c, ".\n\n");
}

// The scores of the plan, where they are of the parent's blocks.
static void put_scores(card *c)
{
    const json_t *scores = json_object_get(c->plan, "scores");
    const int32_t blocks = c->save->model->source->config.blocks;
    int32_t at = 0;

    if (c->save->model->history || json_array_size(scores) != (size_t)blocks)
        return;
    put(c, "| block | score | |\n|---|---|---|\n");
    for (int32_t block = 0; block < blocks; block++) {
        const int gone = at < c->count && c->removed[at] == block;
        at += gone;
        put(c, "| %d | %.6g | %s |\n", (int)block, json_number_value(json_array_get(scores, (size_t)block)),
            gone ? "removed" : "");
    }
    put(c, "\n");
}

static void put_choice(card *c)
{
    const char *criterion = json_string_value(json_object_get(c->plan, "criterion"));
    const json_t *calibration = json_object_get(c->plan, "calibration");
    char *text = NULL, name[NAME];
    size_t size = 0;

    if (criterion) {
        last_part(criterion, name);
        put(c, "Criterion: `%s`.", name);
        put(c, " A block with a low score is missed least.\n\n");
        put_scores(c);
    }
    if (!json_is_object(calibration) || c->rc)
        return;
    c->rc = dpi_json_text(calibration, c->out->memory, &text, &size, c->error);
    if (!c->rc && size < LONGEST_CALIBRATION) {
        put(c, "Calibration:\n\n```json\n");
        if (!c->rc)
            c->rc = dpi_text_add(c->out, text, size, c->error);
        put(c, "```\n\n");
    }
    dpi_free(c->out->memory, text);
}

static void put_ancestor(card *c, const json_t *plan)
{
    const char *path = json_string_value(json_object_get(json_object_get(plan, "parent"), "path"));
    const char *criterion = json_string_value(json_object_get(plan, "criterion"));
    const json_t *removed = json_object_get(plan, "removed");
    char name[NAME];

    last_part(path ? path : "", name);
    put(c, "1. From `%s`, of %lld blocks, removed:", path ? name : "?",
        (long long)json_integer_value(json_object_get(plan, "blocks")));
    for (size_t i = 0; i < json_array_size(removed); i++)
        put(c, "%s %lld", i ? "," : "", (long long)json_integer_value(json_array_get(removed, i)));
    if (criterion) {
        last_part(criterion, name);
        put(c, " (`%s`)", name);
    }
    put(c, ".\n");
}

// What was done before, oldest first; of a model that is only copied, its own plan is the last of these.
static void put_history(card *c)
{
    const json_t *list = json_object_get(c->plan, "ancestors");

    if (!c->plan || (c->count && !json_array_size(list)))
        return;
    put(c, "## %s\n\n", c->count ? "Before that" : "How it came to be");
    for (size_t i = 0; i < json_array_size(list); i++)
        put_ancestor(c, json_array_get(list, i));
    if (!c->count)
        put_ancestor(c, c->plan);
    put(c, "\n");
}

// Which blocks: by the plan, where one plan says it all.
static void put_choice_again(card *c)
{
    const dp_model *model = c->save->model;

    if (c->count && model->plan && !model->history) {
        put(c, " --plan depthprune.json");
        return;
    }
    for (int32_t i = 0; i < c->count; i++)
        put(c, "%s%d", i ? "," : " --remove ", (int)c->removed[i]);
}

static void put_command(card *c)
{
    static const char *const types[] = {[DP_F32] = "f32", [DP_F16] = "f16", [DP_BF16] = "bf16"};
    const dpi_save *save = c->save;
    const dp_model *model = save->model;
    char name[NAME];

    put(c, "## Made again\n\n```sh\ndepthprune %s", c->count ? "prune" : "convert");
    if (model->source->gguf)
        last_part(model->source->path, name);
    else
        last_part(save->parentage.name[0] ? save->parentage.name : "PARENT", name);
    put_argument(c, name);
    put_choice_again(c);
    if (model->source->format != DP_FORMAT_HF)
        put(c, " --to hf");
    if (save->type >= 0)
        put(c, " --dtype %s", types[save->type]);
    if (save->shard_bytes)
        put(c, " --max-shard-size %llu", (unsigned long long)save->shard_bytes);
    last_part(save->path, name);
    put(c, " -o");
    put_argument(c, name);
    put(c, "\n```\n\nlibdepthprune %s.\n", dp_version_text());
}

static void put_body(card *c)
{
    char name[NAME];

    last_part(c->save->path, name);
    put(c, "# `%s`\n\n", name);
    put_parent(c);
    if (!c->count) {
        put(c, ", converted; no weight was left out.\n\n");
        put_history(c);
        put_command(c);
        return;
    }
    put(c, " without %d of its %d Transformer blocks; what is left is as it was, not trained again.\n\n", (int)c->count,
        (int)c->save->model->source->config.blocks);
    put_numbers(c);
    put(c, "## What was removed\n\n");
    put_blocks(c);
    put_choice(c);
    put_history(c);
    put_command(c);
}

int dpi_save_card(const dpi_save *save, dpi_text *out, dp_error *error)
{
    dpi_memory *memory = &save->model->context->memory;
    card c = {.save = save, .out = out, .error = error};
    json_t *plan = NULL;

    c.removed = dpi_alloc(memory, (size_t)save->model->source->config.blocks, sizeof *c.removed, error);
    if (!c.removed)
        return DP_E_MEMORY;
    c.count = dpi_save_removed(save, c.removed);
    if (save->plan.size) // a source's may be anything
        c.rc = dpi_json_parse(&plan, save->plan.data, save->plan.size, save->path, NULL) == DP_E_MEMORY
                   ? dpi_fail(error, DP_E_MEMORY, "no memory to read the plan")
                   : DP_OK;
    c.plan = json_is_object(plan) ? plan : NULL;
    put_front(&c);
    put_body(&c);
    json_decref(plan);
    dpi_free(memory, c.removed);
    return c.rc;
}
