// depthprune report: the JSON documents of a folder as one table; every figure comes from them.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/table.h"

// {"models": [inspect documents, each with "perplexity": {FILE: value}], "steps": [{"step", "what", "seconds"}]}
typedef struct report {
    json_t *models, *evals, *others, *steps;
    json_t *broken; // what is wrong with the files that are left out
} report;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

static int schema_is(const json_t *document, const char *name)
{
    const char *schema = text_of(document, "schema");
    const size_t length = strlen(name);

    return strncmp(schema, "depthprune.", 11) == 0 && strncmp(schema + 11, name, length) == 0 &&
           schema[11 + length] == '/';
}

static json_t *describe_step(const json_t *document)
{
    const json_t *protocol = json_object_get(document, "protocol"), *removed = json_object_get(document, "removed");

    const json_t *calibration = json_object_get(protocol, "calibration");

    if (schema_is(document, "scores") && json_is_object(calibration))
        return json_sprintf("%s on %.0f windows of %.0f tokens", text_of(document, "criterion"),
                            number_of(calibration, "samples"), number_of(calibration, "length"));
    if (schema_is(document, "scores"))
        return json_string(text_of(document, "criterion"));
    if (schema_is(document, "plan"))
        return json_sprintf("%zu of %.0f blocks chosen", json_array_size(removed), number_of(document, "blocks"));
    return json_sprintf("%zu of %.0f blocks removed, saved as %s", json_array_size(removed),
                        number_of(json_object_get(document, "source"), "blocks"),
                        base_name(text_of(document, "output")));
}

static void add_step(report *r, const json_t *document, const char *step)
{
    const json_t *protocol = json_object_get(document, "protocol");

    json_array_append_new(r->steps, json_pack("{s:s, s:o, s:f}", "step", step, "what", describe_step(document),
                                              "seconds", number_of(protocol, "seconds")));
}

static void sort_in(report *r, json_t *document)
{
    if (schema_is(document, "inspect"))
        json_array_append(r->models, document);
    else if (schema_is(document, "eval"))
        json_array_append(r->evals, document);
    else
        json_array_append(r->others, document);
}

// In the order of a run, whatever the files are called.
static void list_steps(report *r)
{
    static const char *const steps[][2] = {{"scores", "score"}, {"plan", "plan"}, {"prune", "prune"}};
    const json_t *document;
    size_t index;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        json_array_foreach(r->others, index, document)
        {
            if (schema_is(document, steps[i][0]))
                add_step(r, document, steps[i][1]);
        }
    }
}

static int is_json(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int read_one(cli_session *session, report *r, const char *folder, const char *name)
{
    char *path = NULL;
    json_t *document = NULL;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    const int rc = cli_json_read(session, path, &document);
    if (rc == DP_OK)
        sort_in(r, document);
    json_decref(document);
    free(path);
    return rc;
}

// A file that is no JSON or cannot be read is left out, and said; the others still make a table.
static int leave_out(cli_session *session, report *r, int rc)
{
    const dp_error *e = &session->error;

    if (rc != DP_E_FORMAT && rc != DP_E_IO)
        return rc;
    json_t *words = e->line ? json_sprintf("%s:%d: %s", e->file, e->line, e->message)
                            : json_sprintf("%s: %s", e->file, e->message);
    if (words == NULL) // a name that is no text
        words = json_sprintf("a file is left out: %s", e->message);
    json_array_append_new(r->broken, words);
    return DP_OK;
}

// Nothing of ours: the file that is broken is the reason, where there is one.
static int conclude(cli_session *session, const report *r, const char *folder)
{
    const json_t *words;
    size_t index;

    if (json_array_size(r->models) + json_array_size(r->steps) == 0)
        return json_array_size(r->broken)
                   ? session->error.code
                   : cli_fail(session, DP_E_FORMAT, (cli_place){.file = folder}, "holds no document of depthprune");
    json_array_foreach(r->broken, index, words) cli_note(session, "%s; left out", json_string_value(words));
    return DP_OK;
}

static int read_folder(cli_session *session, report *r)
{
    const char *folder = session->settings->operands.items[0];
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_json, alphasort);
    int rc = DP_OK;

    if (count < 0)
        return cli_fail(session, DP_E_IO, (cli_place){.file = folder, .system_error = errno}, "cannot be read");
    for (int i = 0; i < count; i++) {
        if (rc == DP_OK)
            rc = leave_out(session, r, read_one(session, r, folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    list_steps(r);
    return rc ? rc : conclude(session, r, folder);
}

// Give each model the perplexities that were measured on its path.
static void join(report *r)
{
    json_t *model, *eval, *entry;
    size_t m, e, i;

    json_array_foreach(r->models, m, model)
    {
        json_t *perplexity = json_object();
        double seconds = 0;
        json_array_foreach(r->evals, e, eval)
        {
            const json_t *protocol = json_object_get(eval, "protocol");
            if (strcmp(text_of(json_object_get(protocol, "model"), "path"), text_of(model, "path")) != 0)
                continue;
            seconds += number_of(protocol, "seconds");
            json_array_foreach(json_object_get(eval, "perplexity"), i, entry) json_object_set(
                perplexity, base_name(text_of(entry, "file")), json_object_get(entry, "perplexity"));
        }
        json_object_set_new(model, "perplexity", perplexity);
        json_object_set_new(model, "eval_seconds", json_real(seconds));
    }
}

static int larger_first(const void *a, const void *b)
{
    const double x = number_of(*(json_t *const *)a, "parameters"), y = number_of(*(json_t *const *)b, "parameters");

    return (x < y) - (x > y);
}

static int sort_models(report *r)
{
    const size_t count = json_array_size(r->models);
    json_t **models = calloc(count + 1, sizeof *models), *sorted = json_array();

    if (models == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        models[i] = json_array_get(r->models, i);
    qsort(models, count, sizeof(json_t *), larger_first);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, models[i]);
    free(models);
    json_decref(r->models);
    r->models = sorted;
    return 0;
}

static void show_model(cli_table *table, const json_t *model, const char *file, const json_t *perplexity)
{
    cli_table_add(table, "%s", base_name(text_of(model, "path")));
    cli_table_add(table, "%.0f", number_of(model, "blocks"));
    cli_table_add(table, "%s", cli_words_count(number_of(model, "parameters")).text);
    cli_table_add(table, "%s", cli_words_bytes(number_of(model, "bytes")).text);
    if (perplexity) {
        cli_table_add(table, "%#.5g", json_number_value(perplexity));
        cli_table_add(table, "%s", file);
        cli_table_add(table, "%.1f", number_of(model, "eval_seconds"));
        return;
    }
    for (int i = 0; i < 3; i++)
        cli_table_add(table, "%s", "");
}

static void show_models(const json_t *models)
{
    static const char *const heads[] = {"model", "blocks", "parameters", "bytes", "perplexity", "on", "seconds"};
    cli_table table = {.alignment = "lrrrrlr"};
    const char *file;
    json_t *model, *value;
    size_t index;

    if (json_array_size(models) == 0)
        return;
    for (size_t i = 0; i < 7; i++)
        cli_table_add(&table, "%s", heads[i]);
    json_array_foreach(models, index, model)
    {
        json_t *perplexity = json_object_get(model, "perplexity");
        if (json_object_size(perplexity) == 0)
            show_model(&table, model, "", NULL);
        json_object_foreach(perplexity, file, value) show_model(&table, model, file, value);
    }
    cli_table_print(&table, stdout);
}

static void show_steps(const json_t *steps)
{
    cli_table table = {.alignment = "llr"};
    const json_t *step;
    size_t index;

    json_array_foreach(steps, index, step)
    {
        cli_table_add(&table, "%s", text_of(step, "step"));
        cli_table_add(&table, "%s", text_of(step, "what"));
        cli_table_add(&table, "%s", cli_words_seconds(number_of(step, "seconds")).text);
    }
    cli_table_print(&table, stdout);
}

static int deliver(cli_session *session, const report *r)
{
    if (!session->settings->json) {
        show_models(r->models);
        if (json_array_size(r->models) && json_array_size(r->steps))
            putchar('\n');
        show_steps(r->steps);
        return DP_OK;
    }
    json_t *document = cli_document_new("report");
    json_object_set(document, "models", r->models);
    json_object_set(document, "steps", r->steps);
    return cli_document_emit(session, document, NULL);
}

int cli_cmd_report(cli_session *session)
{
    report r = {json_array(), json_array(), json_array(), json_array(), json_array()};
    int rc = read_folder(session, &r);

    if (rc == DP_OK && sort_models(&r))
        rc = cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    if (rc == DP_OK) {
        join(&r);
        rc = deliver(session, &r);
    }
    json_decref(r.models);
    json_decref(r.evals);
    json_decref(r.others);
    json_decref(r.steps);
    json_decref(r.broken);
    return rc;
}
