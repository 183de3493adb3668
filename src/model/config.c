// What every configuration must satisfy, whichever format it came from.
#include "base/error.h"
#include "model/parse.h"

static int settle_heads(dpi_config *config, const dpi_config_keys *keys, const char *name, dp_error *error)
{
    dpi_place place = {.file = name, .item = keys->kv_heads, .offset = -1};

    if (!config->kv_heads)
        config->kv_heads = config->heads;
    if (config->heads % config->kv_heads)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "%d query heads cannot share %d key and value heads",
                           config->heads, config->kv_heads);
    if (config->head_dim)
        return DP_OK;
    place.item = keys->heads;
    if (config->hidden % config->heads)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "a hidden size of %d cannot be split among %d heads",
                           config->hidden, config->heads);
    config->head_dim = config->hidden / config->heads;
    return DP_OK;
}

static int check_ids(const dpi_config *config, const char *name, dp_error *error)
{
    const int32_t ids[] = {config->bos, config->eos, config->pad};
    static const char *const keys[] = {"bos_token_id", "eos_token_id", "pad_token_id"};

    for (int i = 0; i < 3; i++) {
        const dpi_place place = {.file = name, .item = keys[i], .offset = -1};
        if (ids[i] >= config->vocab)
            return dpi_fail_at(error, DP_E_FORMAT, &place, "token %d is outside the vocabulary of %d", ids[i],
                               config->vocab);
    }
    return DP_OK;
}

int dpi_config_settle(dpi_config *config, const dpi_config_keys *keys, const char *name, dp_error *error)
{
    dpi_place place = {.file = name, .item = keys->head_dim, .offset = -1};
    const int rc = settle_heads(config, keys, name, error);

    if (rc)
        return rc;
    if (config->head_dim % 2)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "rope turns pairs, a head of %d numbers is odd",
                           config->head_dim);
    place.item = keys->heads;
    if ((int64_t)config->heads * config->head_dim > DPI_MOST_INNER)
        return dpi_fail_at(error, DP_E_FORMAT, &place, "%d heads of %d numbers are more than the %d that are read",
                           config->heads, config->head_dim, DPI_MOST_INNER);
    return check_ids(config, name, error);
}
