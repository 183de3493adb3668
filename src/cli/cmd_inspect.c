// depthprune inspect: the shape of a model.
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/table.h"

static const char *format_name(int32_t format)
{
    return format == DP_FORMAT_GGUF ? "gguf" : "hf";
}

static json_t *document(const cli_session *session)
{
    const dp_model_info *m = &session->info;
    json_t *d = cli_document_new("inspect");
    json_t *facts = json_pack(
        "{s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:f, s:f, s:I, s:I, s:I, s:b}", "path",
        cli_json_path(session->settings->operands.items[0]), "architecture", m->architecture, "format",
        format_name(m->format), "dtype", dp_type_name(m->type), "blocks", m->blocks, "hidden_size", m->hidden_size,
        "heads", m->heads, "kv_heads", m->kv_heads, "head_dim", m->head_dim, "ffn_size", m->ffn_size, "vocab_size",
        m->vocab_size, "context", m->context, "tied_head", m->tied_head, "norm_epsilon", m->norm_epsilon,
        "rope_base", m->rope_base, "parameters", (json_int_t)m->parameters, "block_parameters",
        (json_int_t)m->block_parameters, "bytes", (json_int_t)m->bytes, "checked", session->settings->check);

    if (d && json_object_update_missing(d, facts)) {
        json_decref(d);
        d = NULL;
    }
    json_decref(facts);
    return d;
}

static void show(const cli_session *session)
{
    const dp_model_info *m = &session->info;
    cli_table table = {.alignment = "ll"};

    cli_table_add(&table, "model");
    cli_table_add(&table, "%s", session->settings->operands.items[0]);
    cli_table_add(&table, "kind");
    cli_table_add(&table, "%s, %s, mostly %s", m->architecture, format_name(m->format), dp_type_name(m->type));
    cli_table_add(&table, "blocks");
    cli_table_add(&table, "%d", m->blocks);
    cli_table_add(&table, "parameters");
    cli_table_add(&table, "%s, of them %s in each block", cli_words_count((double)m->parameters).text,
                  cli_words_count((double)m->block_parameters).text);
    cli_table_add(&table, "weights");
    cli_table_add(&table, "%s", cli_words_bytes((double)m->bytes).text);
    cli_table_add(&table, "width");
    cli_table_add(&table, "%d, in the MLP %d", m->hidden_size, m->ffn_size);
    cli_table_add(&table, "attention");
    cli_table_add(&table, "%d heads of %d, %d for keys and values", m->heads, m->head_dim, m->kv_heads);
    cli_table_add(&table, "vocabulary");
    cli_table_add(&table, "%d tokens, head %s", m->vocab_size, m->tied_head ? "tied to the embedding" : "apart");
    cli_table_add(&table, "context");
    cli_table_add(&table, "%d tokens", m->context);
    if (session->settings->check) {
        cli_table_add(&table, "check");
        cli_table_add(&table, "every weight is finite; the tokenizer %s",
                      session->tokenizer ? "is sound" : "is not there");
    }
    cli_table_print(&table, stdout);
}

// A folder without its file, or a GGUF file without its key: a value that is there has an offset.
static int is_absent(const cli_session *session)
{
    return session->opened_nothing ||
           (session->error.offset < 0 && session->error.code == DP_E_FORMAT &&
            strcmp(session->error.item, "tokenizer.ggml.model") == 0);
}

// The tokenizer is read, too, where there is one.
static int check_tokenizer(cli_session *session)
{
    const int rc = cli_session_tokenizer(session);

    session->advice = "its tokenizer is damaged: fetch or export the model again";
    return rc && session->tokenizer == NULL && is_absent(session) ? DP_OK : rc;
}

// All that opening leaves unread.
static int check(cli_session *session)
{
    int rc = dp_model_check(session->model, &session->monitor, &session->error);

    if (rc == DP_OK)
        rc = check_tokenizer(session);
    return rc ? rc : cli_protocol_model(session);
}

int cli_cmd_inspect(cli_session *session)
{
    const cli_settings *s = session->settings;
    int rc = cli_output_check(session, s->output);

    if (rc == DP_OK && s->check && s->dry_run)
        rc = cli_usage(session, "--check reads every weight, --dry-run none");
    if (rc == DP_OK)
        rc = cli_session_model(session);
    if (rc == DP_OK && s->check)
        rc = check(session);
    cli_progress_clear(&session->progress);
    if (rc == DP_OK && !s->json)
        show(session);
    if (rc == DP_OK && (s->json || s->output))
        rc = cli_document_emit(session, document(session), s->output);
    return rc;
}
