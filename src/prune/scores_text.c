// The document "depthprune.scores/1", out.
#include "prune/scores.h"

#include <depthprune/sys/backend.h>
#include <depthprune/version.h>

#include "backend/device.h"
#include "base/error.h"
#include "prune/select.h"

static int add_scores(dpi_text *text, const double *scores, int32_t blocks, dp_error *error)
{
    int rc = dpi_text_format(text, error, "  \"scores\": [\n");

    for (int32_t i = 0; i < blocks && !rc; i++) {
        rc = dpi_text_format(text, error, "    {\"block\": %d, \"score\": ", i);
        if (!rc)
            rc = dpi_document_real(text, scores[i], error);
        if (!rc)
            rc = dpi_text_format(text, error, "}%s\n", i + 1 < blocks ? "," : "");
    }
    return rc ? rc : dpi_text_format(text, error, "  ],\n");
}

static int add_list(dpi_text *text, const char *key, const int32_t *blocks, size_t count, dp_error *error)
{
    int rc = dpi_text_format(text, error, "  \"%s\": ", key);

    if (!rc)
        rc = dpi_document_blocks(text, blocks, count, error);
    return rc ? rc : dpi_text_format(text, error, ",\n");
}

static int add_lists(dpi_text *text, const dpi_scores_facts *facts, dp_error *error)
{
    const dpi_scoring *scoring = facts->scoring;
    const int32_t blocks = scoring->model->config.blocks;
    int32_t *list = dpi_alloc(&scoring->context->memory, (size_t)blocks, sizeof *list, error);
    size_t held = 0;

    if (!list)
        return DP_E_MEMORY;
    int rc = dpi_select_order(scoring->scores, (size_t)blocks, list, error);
    if (!rc)
        rc = add_list(text, "order", list, (size_t)blocks, error);
    for (int32_t block = 0; block < blocks; block++)
        if (block < facts->protect_first || block >= blocks - facts->protect_last)
            list[held++] = block;
    if (!rc)
        rc = add_list(text, "protected", list, held, error);
    dpi_free(&scoring->context->memory, list);
    return rc;
}

static int add_string(dpi_text *text, const char *key, const char *value, const char *after, dp_error *error)
{
    int rc = dpi_text_format(text, error, "%s: ", key);

    if (!rc)
        rc = value ? dpi_document_string(text, value, error) : dpi_text_format(text, error, "null");
    return rc ? rc : dpi_text_format(text, error, "%s", after);
}

static int add_device(dpi_text *text, dp_context *context, dp_error *error)
{
    const dp_backend_info *info = &dpi_device_of(context)->info;
    int rc = add_string(text, "    \"version\"", dp_version_text(), ",\n", error);

    if (!rc)
        rc = add_string(text, "    \"backend\"", info->name, ",\n", error);
    if (!rc)
        rc = add_string(text, "    \"device\"", info->device, ",\n", error);
    if (!rc)
        rc = add_string(text, "    \"kernels\"", info->kernels, ",\n", error);
    if (!rc)
        rc = add_string(text, "    \"libraries\"", info->libraries, ",\n", error);
    return rc ? rc : dpi_text_format(text, error, "    \"threads\": %d,\n", context->threads);
}

static int add_model(dpi_text *text, const dpi_scores_facts *facts, dp_error *error)
{
    dp_model_info info = {.size = sizeof info};
    int rc = dp_model_describe(facts->scoring->model, &info, error);

    if (!rc)
        rc = add_string(text, "    \"model\": {\"path\"", info.path, ", ", error);
    if (!rc)
        rc = add_string(text, "\"architecture\"", info.architecture, ", ", error);
    if (!rc)
        rc = dpi_text_format(text, error, "\"blocks\": %d, \"parameters\": %llu,\n      ", info.blocks,
                             (unsigned long long)info.parameters);
    return rc ? rc : add_string(text, "\"digest\"", facts->digest, "},\n", error);
}

static const char *rows_name(int32_t rows)
{
    static const char *const names[] = {"auto", "paragraph", "line", "stream", "jsonl"};

    return rows >= 0 && rows < (int32_t)(sizeof names / sizeof *names) ? names[rows] : "ids";
}

static int add_calib(dpi_text *text, const dp_calib_info *calib, dp_error *error)
{
    if (!calib)
        return dpi_text_format(text, error, "    \"calibration\": null,\n");
    int rc = add_string(text, "    \"calibration\": {\"source\"", calib->source, ", ", error);
    if (!rc)
        rc = dpi_text_format(text, error, "\"rows\": \"%s\", \"samples\": %d, \"length\": %d, \"seed\": ",
                             rows_name(calib->rows), calib->samples, calib->length);
    if (!rc)
        rc = dpi_document_seed(text, calib->seed, error);
    if (!rc)
        rc = dpi_text_format(text, error, ",\n      ");
    return rc ? rc : add_string(text, "\"digest\"", calib->digest, "},\n", error);
}

static int add_options(dpi_text *text, const dp_scorer_options *options, int needs_data, dp_error *error)
{
    static const char *const names[] = {"sum", "mean", "max", "prod"};

    if (needs_data)
        return dpi_text_format(text, error, "    \"options\": {}\n  }\n}\n");
    return dpi_text_format(text, error,
                           "    \"options\": {\"norm_power\": %d, \"weight_reduction\": \"%s\", "
                           "\"block_reduction\": \"%s\", \"projections_only\": %s}\n  }\n}\n",
                           options->norm_power, names[options->weight_reduction], names[options->block_reduction],
                           options->projections_only ? "true" : "false");
}

static int add_protocol(dpi_text *text, const dpi_scores_facts *facts, dp_error *error)
{
    int rc = dpi_text_format(text, error, "  \"protocol\": {\n");

    if (!rc)
        rc = add_device(text, facts->scoring->context, error);
    if (!rc)
        rc = add_model(text, facts, error);
    if (!rc)
        rc = add_calib(text, facts->calib, error);
    return rc ? rc : add_options(text, facts->scoring->options, facts->calib != NULL, error);
}

static int write_text(dpi_text *text, const dpi_scores_facts *facts, dp_error *error)
{
    const dpi_scoring *scoring = facts->scoring;
    int rc = dpi_text_format(text, error,
                             "{\n  \"schema\": \"depthprune.scores/1\",\n  \"criterion\": \"%s\",\n"
                             "  \"unit\": \"block\",\n",
                             facts->criterion);

    if (!rc)
        rc = add_scores(text, scoring->scores, scoring->model->config.blocks, error);
    if (!rc)
        rc = add_lists(text, facts, error);
    if (!rc)
        rc = dpi_text_format(text, error, "  \"dense\": ");
    if (!rc)
        rc = dpi_document_real(text, scoring->dense, error);
    if (!rc)
        rc = dpi_text_format(text, error, ",\n  \"seconds\": %.3f,\n", facts->seconds);
    return rc ? rc : add_protocol(text, facts, error);
}

int dpi_scores_make(const dpi_scores_facts *facts, dp_scores **out, dp_error *error)
{
    dpi_text text = {.memory = &facts->scoring->context->memory};
    int rc = write_text(&text, facts, error);

    if (!rc)
        rc = dp_scores_read(facts->scoring->context, text.data, text.size, "scores", out, error);
    dpi_text_clear(&text);
    return rc;
}
