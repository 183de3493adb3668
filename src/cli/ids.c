// Reading rows of token ids from JSON; every id is a whole number from 0 to 2^31 - 1.
#include "cli/ids.h"

#include <stdlib.h>

#include "cli/output.h"

static int bad(cli_session *session, const char *path, const char *what)
{
    return cli_fail(session, DP_E_FORMAT, (cli_place){.file = path, .item = "ids"}, "%s", what);
}

static int count_ids(cli_session *session, const char *path, const json_t *rows, cli_ids *out)
{
    const json_t *row;
    size_t index;

    if (!json_is_array(rows) || json_array_size(rows) == 0)
        return bad(session, path,
                   "wanted {\"ids\": [[...], ...]} or a list of lists of ids, with at least one row");
    json_array_foreach(rows, index, row)
    {
        if (!json_is_array(row) || json_array_size(row) == 0)
            return cli_fail(session, DP_E_FORMAT, (cli_place){.file = path, .item = "ids"},
                            "row %zu is not a list of ids, or is empty", index);
        out->count += json_array_size(row);
    }
    out->rows = json_array_size(rows);
    return DP_OK;
}

static int copy_ids(cli_session *session, const char *path, const json_t *rows, cli_ids *out)
{
    const json_t *row, *id;
    size_t r, i, n = 0;

    out->ids = malloc(out->count * sizeof *out->ids);
    out->lengths = malloc(out->rows * sizeof *out->lengths);
    if (out->ids == NULL || out->lengths == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){.file = path}, "out of memory");
    json_array_foreach(rows, r, row)
    {
        out->lengths[r] = json_array_size(row);
        json_array_foreach(row, i, id)
        {
            const json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
            if (value < 0 || value > INT32_MAX)
                return cli_fail(session, DP_E_FORMAT, (cli_place){.file = path, .item = "ids"},
                                "row %zu, place %zu is not a token id", r, i);
            out->ids[n++] = (int32_t)value;
        }
    }
    return DP_OK;
}

int cli_ids_read(cli_session *session, const char *path, cli_ids *out)
{
    json_t *document = NULL;

    *out = (cli_ids){0};
    session->advice = "see IDS.json in the manual";
    int rc = cli_json_read(session, path, &document);
    if (rc)
        return rc;
    const json_t *rows = json_is_object(document) ? json_object_get(document, "ids") : document;
    rc = count_ids(session, path, rows, out);
    if (rc == DP_OK)
        rc = copy_ids(session, path, rows, out);
    if (rc)
        cli_ids_free(out);
    json_decref(document);
    return rc;
}

void cli_ids_free(cli_ids *ids)
{
    free(ids->ids);
    free(ids->lengths);
    *ids = (cli_ids){0};
}
