// The fingerprint of a run, gathered while it goes.
#include "cli/protocol.h"

#include <stdlib.h>

#include "cli/output.h"

void cli_protocol_set(cli_session *session, const char *key, json_t *value)
{
    if (session->protocol == NULL)
        session->protocol = json_object();
    json_object_set_new(session->protocol, key, value);
}

int cli_protocol_model(cli_session *session)
{
    const dp_model_info *m = &session->info;
    char digest[65];
    const int rc = dp_model_digest(session->model, &session->monitor, digest, &session->error);

    if (rc)
        return rc;
    cli_protocol_set(session, "model",
                     json_pack("{s:o, s:s, s:i, s:I, s:s}", "path",
                               cli_json_path(session->settings->operands.items[0]), "architecture", m->architecture,
                               "blocks", m->blocks, "parameters", (json_int_t)m->parameters, "digest", digest));
    return DP_OK;
}

void cli_protocol_tokenizer(cli_session *session)
{
    dp_tokenizer_info info = {.size = sizeof info};

    if (session->tokenizer == NULL || dp_tokenizer_describe(session->tokenizer, &info, NULL))
        cli_protocol_set(session, "tokenizer", json_null());
    else
        cli_protocol_set(session, "tokenizer", json_pack("{s:s, s:s}", "kind", info.kind, "digest", info.digest));
}

static const char *bos_rule(const cli_session *session, int from_ids)
{
    if (from_ids)
        return "as given";
    return session->settings->bos_each ? "each window" : "rows, where the model's convention adds it";
}

void cli_protocol_calib(cli_session *session, const dp_calib *calib)
{
    const cli_settings *s = session->settings;
    dp_calib_info info = {.size = sizeof info};

    if (dp_calib_describe(calib, &info, NULL))
        return;
    const int from_ids = info.rows < 0;
    const char *special = from_ids ? "as given" : s->literal_specials ? "literal" : "recognised";

    cli_protocol_tokenizer(session);
    cli_protocol_set(session, "window", json_integer(info.length));
    cli_protocol_set(session, "bos", json_string(bos_rule(session, from_ids)));
    cli_protocol_set(session, "special_tokens", json_string(special));
    cli_protocol_set(session, "seed", from_ids ? json_null() : json_integer((json_int_t)info.seed));
    cli_protocol_set(session, "data", json_string(info.digest));
    cli_protocol_set(session, "data_path", cli_json_path(from_ids ? s->calibration_tokens : s->calibration));
}

static int add_device(cli_session *session)
{
    size_t needed = 0;
    json_t *device = NULL;
    int rc = dp_context_describe(session->context, NULL, 0, &needed, &session->error);

    if (rc)
        return rc;
    char *text = malloc(needed + 1);
    if (text == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    rc = dp_context_describe(session->context, text, needed, &needed, &session->error);
    if (rc == DP_OK)
        rc = cli_json_parse(session, text, needed ? needed - 1 : 0, "context", &device);
    if (rc == DP_OK)
        json_object_update_missing(session->protocol, device);
    json_decref(device);
    free(text);
    return rc;
}

int cli_protocol_finish(cli_session *session)
{
    int rc = cli_session_context(session);

    cli_protocol_set(session, "version", json_string(dp_version_text()));
    cli_protocol_set(session, "seconds", json_real(cli_clock() - session->started));
    if (session->protocol == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    return rc ? rc : add_device(session);
}
