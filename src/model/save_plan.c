// The plan that goes with a saved model, and in it, oldest first, the plans of the models that it was made from.
#include <string.h>

#include "base/error.h"
#include "io/file.h"
#include "io/json.h"
#include "model/members.h"
#include "model/save.h"

enum { MOST_PLAN_BYTES = 64 << 20 };

static const char ANCESTORS[] = "ancestors";

static int read_plan_file(const dp_model *model, dpi_text *out, dp_error *error)
{
    const dpi_source *source = model->source;
    dpi_storage *storage = NULL;
    char *path = dpi_path_join(source->memory, source->place, "depthprune.json", error);
    int rc = path ? DP_OK : DP_E_MEMORY;

    if (path && dpi_path_exists(path))
        rc = dpi_file_read(&storage, model->context, path, MOST_PLAN_BYTES, error);
    dpi_free(source->memory, path);
    if (!rc && storage)
        rc = dpi_text_add(out, dpi_storage_bytes(storage), (size_t)dpi_storage_size(storage), error);
    dpi_storage_drop(storage);
    return rc;
}

// What the source says of its own making; nothing for most.
static int read_source_plan(const dp_model *model, dpi_text *out, dp_error *error)
{
    const dpi_source *source = model->source;
    const char *text = NULL;
    size_t size = 0;

    if (!source->place)
        return DP_OK;
    if (!source->gguf)
        return read_plan_file(model, out, error);
    const int rc = dpi_gguf_string(source->gguf, "depthprune.plan", 0, &text, &size, error);
    return rc || !text ? rc : dpi_text_add(out, text, size, error);
}

static int is_ancestors(const dpi_member *member)
{
    return member->key_size == sizeof ANCESTORS - 1 && memcmp(member->key, ANCESTORS, sizeof ANCESTORS - 1) == 0;
}

static int add_item(dpi_text *list, const char *text, size_t size, dp_error *error)
{
    const int rc = list->size ? dpi_text_add(list, ",\n    ", 6, error) : DP_OK;

    return rc ? rc : dpi_text_add(list, text, size, error);
}

// The plan's own ancestors, then the plan without them.
static int add_generations(dpi_text *list, const char *text, size_t size, dp_error *error)
{
    dpi_text own = {.memory = list->memory};
    const size_t open = (size_t)(strchr(text, '{') - text);
    dpi_member member, element;
    size_t cursor = 0;
    int rc = dpi_text_add(&own, "{", 1, error);

    while (!rc && dpi_member_next(text, size, open, &cursor, &member)) {
        const char *const key = member.key - 1; // with its quotes
        if (!is_ancestors(&member)) {
            rc = own.size > 1 ? dpi_text_add(&own, ",\n     ", 7, error) : DP_OK;
            if (!rc)
                rc = dpi_text_add(&own, key, (size_t)(text + member.end - key), error);
            continue;
        }
        for (size_t at = 0; !rc && text[member.begin] == '[' &&
                            dpi_member_next(text, size, member.begin, &at, &element);)
            rc = add_item(list, text + element.begin, element.end - element.begin, error);
    }
    if (!rc)
        rc = dpi_text_add(&own, "}", 1, error);
    if (!rc)
        rc = add_item(list, own.data, own.size, error);
    dpi_text_clear(&own);
    return rc;
}

// A source's plan that is no JSON object, as a stranger may have left it, begins no history.
static int add_source(const dp_model *model, dpi_text *list, dp_error *error)
{
    dpi_text text = {.memory = list->memory};
    json_t *root = NULL;
    int rc = read_source_plan(model, &text, error);

    if (rc || !text.size) {
        dpi_text_clear(&text);
        return rc;
    }
    rc = dpi_json_parse(&root, text.data, text.size, model->source->path, error);
    if (!rc && json_is_object(root))
        rc = add_generations(list, text.data, text.size, error);
    else if (rc != DP_E_MEMORY) {
        rc = DP_OK;
        dpi_log(model->context, DP_LOG_WARNING, "%s: its plan cannot be read and is left out", model->source->path);
    }
    json_decref(root);
    dpi_text_clear(&text);
    return rc;
}

// The model's own plan with its history before the last brace.
static int join(const dp_model *model, dpi_text *out, dp_error *error)
{
    dpi_text list = {.memory = out->memory};
    size_t size = strlen(model->plan);
    int rc = add_source(model, &list, error);

    if (!rc && model->history)
        rc = add_item(&list, model->history, strlen(model->history), error);
    while (list.size && size && model->plan[size - 1] != '}')
        size--;
    for (size -= list.size && size; list.size && size && strchr(" \n", model->plan[size - 1]);)
        size--;
    if (!rc)
        rc = dpi_text_add(out, model->plan, size, error);
    if (!rc && list.size) {
        rc = dpi_text_format(out, error, ",\n  \"%s\": [\n    ", ANCESTORS);
        if (!rc)
            rc = dpi_text_add(out, list.data, list.size, error);
        if (!rc)
            rc = dpi_text_add(out, "\n  ]\n}\n", 7, error);
    }
    dpi_text_clear(&list);
    return rc;
}

int dpi_save_writes_plan(const dpi_save *save)
{
    const dpi_source *source = save->model->source;

    return save->plan.size > 0 && (save->model->plan || source->format != save->format || !source->place);
}

int dpi_save_read_plan(dpi_save *save, dp_error *error)
{
    const dp_model *model = save->model;

    save->plan.memory = &model->context->memory;
    if (model->plan)
        return join(model, &save->plan, error);
    return save->pruned ? DP_OK : read_source_plan(model, &save->plan, error);
}
