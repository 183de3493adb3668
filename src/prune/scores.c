// Scores: read from their document, checked whole, and described.
#include "prune/scores.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

// The score objects are one a block, in the order of the blocks.
static int read_score(const dpi_document *document, const json_t *item, size_t index, double *out, dp_error *error)
{
    const json_t *score = json_object_get(item, "score"), *block = json_object_get(item, "block");

    if (!json_is_integer(block) || json_integer_value(block) != (json_int_t)index)
        return dpi_document_fail(document, DP_E_FORMAT, "scores", error,
                                 "entry %zu is not an object with \"block\": %zu", index, index);
    if (!score || json_is_null(score))
        return dpi_document_fail(document, DP_E_NUMERIC, "scores", error, "score of block %zu is not a number",
                                 index);
    return dpi_json_real(item, "score", 1, out, document->name, error);
}

static int read_scores(dp_scores *scores, const dpi_document *document, dp_error *error)
{
    const json_t *list = json_object_get(document->root, "scores");
    const size_t count = json_array_size(list);
    int rc = DP_OK;

    if (!json_is_array(list) || count == 0 || count > DPI_DOCUMENT_BLOCKS)
        return dpi_document_fail(document, DP_E_FORMAT, "scores", error, "scores is not a list of 1 to %d objects",
                                 DPI_DOCUMENT_BLOCKS);
    scores->blocks = (int32_t)count;
    scores->scores = dpi_alloc(&scores->context->memory, count, sizeof *scores->scores, error);
    if (!scores->scores)
        return DP_E_MEMORY;
    for (size_t i = 0; i < count && !rc; i++)
        rc = read_score(document, json_array_get(list, i), i, &scores->scores[i], error);
    return rc;
}

static int read_order(dp_scores *scores, const dpi_document *document, dp_error *error)
{
    size_t count = 0;
    const int rc = dpi_document_list(document, "order", scores->blocks, &scores->order, &count, error);

    if (rc)
        return rc;
    if (count != (size_t)scores->blocks)
        return dpi_document_fail(document, DP_E_FORMAT, "order", error, "%zu blocks are listed, %d have a score",
                                 count, scores->blocks);
    for (size_t i = 1; i < count; i++)
        if (scores->scores[scores->order[i]] < scores->scores[scores->order[i - 1]])
            return dpi_document_fail(document, DP_E_FORMAT, "order", error,
                                     "block %d stands after block %d, but its score is lower", scores->order[i],
                                     scores->order[i - 1]);
    return DP_OK;
}

static int read_protected(dp_scores *scores, const dpi_document *document, dp_error *error)
{
    int32_t *list = NULL;
    size_t count = 0, first = 0, last = 0;
    const int rc = dpi_document_list(document, "protected", scores->blocks, &list, &count, error);

    if (rc)
        return rc;
    while (first < count && list[first] == (int32_t)first)
        first++;
    while (first + last < count && list[count - 1 - last] == scores->blocks - 1 - (int32_t)last)
        last++;
    dpi_free(&scores->context->memory, list);
    if (first + last < count)
        return dpi_document_fail(document, DP_E_FORMAT, "protected", error,
                                 "protected blocks are the first and the last ones, ascending");
    scores->protect_first = (int32_t)first;
    scores->protect_last = (int32_t)last;
    return DP_OK;
}

static int is_digest(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int read_protocol(dp_scores *scores, const dpi_document *document, dp_error *error)
{
    const json_t *protocol = json_object_get(document->root, "protocol");
    const json_t *model = json_object_get(protocol, "model");
    int rc;

    if (protocol && !json_is_object(protocol))
        return dpi_document_fail(document, DP_E_FORMAT, "protocol", error, "protocol is not an object");
    if (!model)
        return DP_OK;
    rc = dpi_json_string(model, "digest", 0, &scores->digest, document->name, error);
    if (!rc && scores->digest && !is_digest(scores->digest))
        rc = dpi_document_fail(document, DP_E_FORMAT, "protocol", error,
                               "the model's digest is not 64 hexadecimal digits");
    return rc;
}

static int read_all(dp_scores *scores, const dpi_document *document, dp_error *error)
{
    const char *unit = "block";
    int rc = dpi_json_string(document->root, "criterion", 1, &scores->criterion, document->name, error);

    if (!rc)
        rc = dpi_json_string(document->root, "unit", 0, &unit, document->name, error);
    if (!rc && strcmp(unit, "block") != 0)
        rc = dpi_document_fail(document, DP_E_UNSUPPORTED, "unit", error, "scores of unit '%s', expected 'block'",
                               unit);
    if (!rc)
        rc = read_scores(scores, document, error);
    if (!rc)
        rc = read_order(scores, document, error);
    if (!rc)
        rc = read_protected(scores, document, error);
    if (!rc)
        rc = dpi_json_real(document->root, "dense", 0, &scores->dense, document->name, error);
    return rc ? rc : read_protocol(scores, document, error);
}

int dp_scores_read(dp_context *context, const char *text, size_t bytes, const char *name, dp_scores **out,
                   dp_error *error)
{
    if (!context || !text || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "scores are read with a context, a text and a place for the result");
    dpi_document document = {.context = context, .text = text, .size = bytes, .name = name};
    dp_scores *scores = dpi_alloc(&context->memory, 1, sizeof *scores, error);
    if (!scores)
        return DP_E_MEMORY;
    scores->context = dpi_context_keep(context);
    scores->dense = NAN;
    int rc = dpi_document_open(&document, "depthprune.scores/1", 1, error);
    if (!rc) {
        scores->root = document.root; // what it points to is used on
        rc = read_all(scores, &document, error);
    }
    if (!rc) {
        scores->text = dpi_copy_bytes(&context->memory, text, bytes, error);
        scores->size = bytes;
        rc = scores->text ? DP_OK : DP_E_MEMORY;
    }
    if (rc) {
        dp_scores_free(scores);
        return rc;
    }
    *out = scores;
    return DP_OK;
}

int dp_scores_describe(const dp_scores *scores, dp_scores_info *info, dp_error *error)
{
    if (!scores || !info)
        return dpi_fail(error, DP_E_ARGUMENT, "dp_scores_describe needs scores and an info");
    const dp_scores_info known = {.size = sizeof known,
                                  .blocks = scores->blocks,
                                  .criterion = scores->criterion,
                                  .scores = scores->scores,
                                  .order = scores->order,
                                  .dense = scores->dense,
                                  .protect_first = scores->protect_first,
                                  .protect_last = scores->protect_last};

    return dpi_info_give(&known, sizeof known, info, error);
}

int dp_scores_write(const dp_scores *scores, char *text, size_t capacity, size_t *needed, dp_error *error)
{
    if (!scores || (!text && capacity > 0))
        return dpi_fail(error, DP_E_ARGUMENT,
                        "dp_scores_write needs scores, and a buffer when its capacity is not 0");
    return dpi_give_text(scores->text, scores->size, text, capacity, needed);
}

void dp_scores_free(dp_scores *scores)
{
    if (!scores)
        return;
    dp_context *context = scores->context;
    json_decref(scores->root);
    dpi_free(&context->memory, scores->text);
    dpi_free(&context->memory, scores->scores);
    dpi_free(&context->memory, scores->order);
    dpi_free(&context->memory, scores);
    dpi_context_drop(context);
}
