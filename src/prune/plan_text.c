// The document "depthprune.plan/1", out and in.  A person may write one: "blocks" and "removed" are enough.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "prune/plan.h"

// ---- out

static int add_string(dpi_text *text, const char *before, const char *value, dp_error *error)
{
    const int rc = dpi_text_format(text, error, "%s", before);

    return rc ? rc : dpi_document_string(text, value, error);
}

static int add_scores(dpi_text *text, const dp_plan *plan, dp_error *error)
{
    int rc = dpi_text_format(text, error, ",\n  \"scores\": [");

    for (int32_t i = 0; i < plan->blocks && !rc; i++) {
        if (i)
            rc = dpi_text_format(text, error, ", ");
        if (!rc)
            rc = dpi_document_real(text, plan->scores[i], error);
    }
    return rc ? rc : dpi_text_format(text, error, "]");
}

static int add_parent(dpi_text *text, const dp_plan *plan, dp_error *error)
{
    int rc = dpi_text_format(text, error, ",\n  \"parent\": {\"digest\": ");

    if (!rc)
        rc =
            plan->digest[0] ? dpi_document_string(text, plan->digest, error) : dpi_text_format(text, error, "null");
    if (!rc && plan->path)
        rc = add_string(text, ", \"path\": ", plan->path, error);
    return rc ? rc : dpi_text_format(text, error, "}");
}

static int add_calibration(dpi_text *text, const dp_plan *plan, dp_error *error)
{
    const json_t *seed = json_object_get(plan->calibration, "seed");
    int rc = dpi_text_format(text, error, ",\n  \"calibration\": ");

    if (!rc)
        rc = dpi_document_value(text, plan->calibration, 2, error);
    if (rc || !seed)
        return rc;
    rc = dpi_text_format(text, error, ",\n  \"seed\": ");
    return rc ? rc : dpi_document_value(text, seed, 2, error);
}

static int add_blocks(dpi_text *text, const dp_plan *plan, dp_error *error)
{
    int rc = dpi_text_format(
        text, error, "{\n  \"schema\": \"depthprune.plan/1\",\n  \"blocks\": %d,\n  \"removed\": ", plan->blocks);

    if (!rc)
        rc = dpi_document_blocks(text, plan->removed, (size_t)plan->n_removed, error);
    if (!rc)
        rc = dpi_text_format(text, error, ",\n  \"kept\": ");
    return rc ? rc : dpi_document_blocks(text, plan->kept, (size_t)plan->n_kept, error);
}

// What chose the blocks, as far as it is known.
static int add_choice(dpi_text *text, const dp_plan *plan, dp_error *error)
{
    int rc = DP_OK;

    if (plan->criterion)
        rc = add_string(text, ",\n  \"criterion\": ", plan->criterion, error);
    if (!rc && plan->scores)
        rc = add_scores(text, plan, error);
    if (!rc && plan->protect_first >= 0)
        rc = dpi_text_format(text, error, ",\n  \"protect\": {\"first\": %d, \"last\": %d}", plan->protect_first,
                             plan->protect_last);
    return rc;
}

int dpi_plan_text(const dp_plan *plan, dpi_text *text, dp_error *error)
{
    int rc = add_blocks(text, plan, error);

    if (!rc)
        rc = add_choice(text, plan, error);
    if (!rc && (plan->digest[0] || plan->path))
        rc = add_parent(text, plan, error);
    if (!rc && plan->calibration)
        rc = add_calibration(text, plan, error);
    if (!rc)
        rc = add_string(text, ",\n  \"version\": ", plan->version, error);
    return rc ? rc : dpi_text_format(text, error, "\n}\n");
}

// ---- in

// drop[] from "removed"; "kept", where present, must be the rest.
static int read_blocks(const dpi_document *document, int32_t blocks, uint8_t *drop, dp_error *error)
{
    dpi_memory *memory = &document->context->memory;
    int32_t *removed = NULL, *kept = NULL;
    size_t n_removed = 0, n_kept = 0;
    int rc = dpi_document_list(document, "removed", blocks, &removed, &n_removed, error);

    if (!rc)
        rc = dpi_document_list(document, "kept", blocks, &kept, &n_kept, error);
    if (!rc && n_removed == 0)
        rc = dpi_document_fail(document, DP_E_FORMAT, "removed", error, "the plan removes no block");
    if (!rc && n_removed == (size_t)blocks)
        rc = dpi_document_fail(document, DP_E_FORMAT, "removed", error, "the plan removes all %d blocks", blocks);
    for (size_t i = 0; i < n_removed && !rc; i++)
        drop[removed[i]] = 1;
    for (size_t i = 0; i < n_kept && !rc; i++)
        if (drop[kept[i]])
            rc = dpi_document_fail(document, DP_E_FORMAT, "kept", error, "block %d is both kept and removed",
                                   kept[i]);
    if (!rc && kept && n_kept + n_removed != (size_t)blocks)
        rc = dpi_document_fail(document, DP_E_FORMAT, "kept", error,
                               "%zu blocks are kept and %zu removed, the model has %d", n_kept, n_removed, blocks);
    dpi_free(memory, removed);
    dpi_free(memory, kept);
    return rc;
}

static int read_scores(dp_plan *plan, const dpi_document *document, dp_error *error)
{
    const json_t *list = json_object_get(document->root, "scores");

    if (!list || json_is_null(list))
        return DP_OK;
    if (json_array_size(list) != (size_t)plan->blocks)
        return dpi_document_fail(document, DP_E_FORMAT, "scores", error, "scores is not a list of %d numbers",
                                 plan->blocks);
    plan->scores = dpi_alloc(&plan->context->memory, (size_t)plan->blocks, sizeof *plan->scores, error);
    if (!plan->scores)
        return DP_E_MEMORY;
    for (int32_t i = 0; i < plan->blocks; i++) {
        const json_t *score = json_array_get(list, (size_t)i);
        if (!json_is_number(score) || !isfinite(json_number_value(score)))
            return dpi_document_fail(document, DP_E_FORMAT, "scores", error, "score %d is not a finite number", i);
        plan->scores[i] = json_number_value(score);
    }
    return DP_OK;
}

static int object_member(const dpi_document *document, const char *key, const json_t **out, dp_error *error)
{
    const json_t *member = json_object_get(document->root, key);

    *out = member && !json_is_null(member) ? member : NULL;
    if (*out && !json_is_object(*out))
        return dpi_document_fail(document, DP_E_FORMAT, key, error, "%s is not an object", key);
    return DP_OK;
}

static int copy_member(const dpi_document *document, const json_t *object, const char *key, char **out,
                       dp_error *error)
{
    const char *found = NULL;
    const int rc = dpi_json_string(object, key, 0, &found, document->name, error);

    if (rc || !found)
        return rc;
    *out = dpi_copy_text(&document->context->memory, found, error);
    return *out ? DP_OK : DP_E_MEMORY;
}

static int read_parent(dp_plan *plan, const dpi_document *document, dp_error *error)
{
    const char *digest = NULL;
    const json_t *parent;
    int rc = object_member(document, "parent", &parent, error);

    if (rc || !parent)
        return rc;
    rc = dpi_json_string(parent, "digest", 0, &digest, document->name, error);
    if (!rc && digest && (strlen(digest) != 64 || strspn(digest, "0123456789abcdef") != 64))
        rc = dpi_document_fail(document, DP_E_FORMAT, "parent", error, "the digest is not 64 hexadecimal digits");
    if (!rc && digest)
        memcpy(plan->digest, digest, sizeof plan->digest);
    return rc ? rc : copy_member(document, parent, "path", &plan->path, error);
}

static int read_protect(dp_plan *plan, const dpi_document *document, dp_error *error)
{
    const json_t *protect;
    int64_t first = -1, last = -1;
    int rc = object_member(document, "protect", &protect, error);

    if (rc || !protect)
        return rc;
    rc = dpi_json_int(protect, "first", 1, 0, plan->blocks, &first, document->name, error);
    if (!rc)
        rc = dpi_json_int(protect, "last", 1, 0, plan->blocks, &last, document->name, error);
    if (!rc) {
        plan->protect_first = (int32_t)first;
        plan->protect_last = (int32_t)last;
    }
    return rc;
}

static int read_calibration(dp_plan *plan, const dpi_document *document, dp_error *error)
{
    const json_t *calibration;
    const int rc = object_member(document, "calibration", &calibration, error);

    if (rc || !calibration)
        return rc;
    plan->calibration = json_deep_copy(calibration);
    return plan->calibration ? DP_OK : dpi_fail(error, DP_E_MEMORY, "no memory for the plan's calibration");
}

static int read_plan(dp_plan **out, const dpi_document *document, dp_error *error)
{
    dpi_memory *memory = &document->context->memory;
    int64_t blocks = 0;
    int rc = dpi_json_int(document->root, "blocks", 1, 1, DPI_DOCUMENT_BLOCKS, &blocks, document->name, error);

    if (rc)
        return rc;
    uint8_t *drop = dpi_alloc(memory, (size_t)blocks, 1, error);
    if (!drop)
        return DP_E_MEMORY;
    rc = read_blocks(document, (int32_t)blocks, drop, error);
    if (!rc)
        rc = dpi_plan_new(out, document->context, drop, (int32_t)blocks, error);
    dpi_free(memory, drop);
    if (!rc)
        rc = read_scores(*out, document, error);
    if (!rc)
        rc = copy_member(document, document->root, "criterion", &(*out)->criterion, error);
    if (!rc)
        rc = read_parent(*out, document, error);
    if (!rc)
        rc = read_protect(*out, document, error);
    return rc ? rc : read_calibration(*out, document, error);
}

int dp_plan_read(dp_context *context, const char *text, size_t bytes, const char *name, dp_plan **out,
                 dp_error *error)
{
    if (!context || !text || !out)
        return dpi_fail(error, DP_E_ARGUMENT, "a plan is read with a context, a text and a place for the result");
    dpi_document document = {.context = context, .text = text, .size = bytes, .name = name};
    dp_plan *plan = NULL;
    int rc = dpi_document_open(&document, "depthprune.plan/1", 0, error);
    if (rc)
        return rc;
    rc = read_plan(&plan, &document, error);
    dpi_document_close(&document);
    if (rc) {
        dp_plan_free(plan);
        return rc;
    }
    *out = plan;
    return DP_OK;
}
