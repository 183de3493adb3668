// Opening the tokenizer of the model, and seeing that the two belong together.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/session.h"

// The file that the tokenizer of a folder is in; free() it.
static char *tokenizer_path(const char *folder)
{
    static const char *const names[] = {"tokenizer.json", "tokenizer.model"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", folder, names[i]) < 0)
            return NULL;
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return strdup(folder);
}

static int stranger(cli_session *session, int32_t id)
{
    char *path = tokenizer_path(session->settings->operands.items[0]);
    const int rc = cli_fail(session, DP_E_FORMAT, (cli_place){.file = path, .item = "vocab"},
                            "token %d is outside the model's vocabulary of %d", id, session->info.vocab_size);

    session->advice = "tokenizer and model do not belong together: fetch both again";
    free(path);
    return rc;
}

// No text may become an id that the model has no row for.  Special tokens cannot; padding is often added behind
// the rows and never used.
static int check_tokens(cli_session *session)
{
    dp_tokenizer_info known = {.size = sizeof known};
    int rc = dp_tokenizer_describe(session->tokenizer, &known, &session->error);

    for (int32_t id = session->info.vocab_size; rc == DP_OK && id < known.tokens; id++) {
        size_t bytes = 0;
        if (id == known.pad || id == known.bos || id == known.eos || id == known.unk)
            continue;
        rc = dp_tokenizer_decode(session->tokenizer, &id, 1, 0, NULL, 0, &bytes, &session->error);
        if (rc == DP_OK && bytes > 0)
            return stranger(session, id);
    }
    return rc;
}

int cli_session_tokenizer(cli_session *session)
{
    const char *path = session->settings->operands.items[0];
    int rc = cli_session_context(session);

    if (rc || session->tokenizer)
        return rc;
    session->advice = session->command->bit == CLI_EVAL
                          ? "without a tokenizer give --perplexity-tokens instead of text"
                          : "without a tokenizer give --calibration-tokens instead of text";
    rc = dp_tokenizer_open(session->context, path, &session->tokenizer, &session->error);
    session->opened_nothing = // the folder, not a file in it
        rc == DP_E_IO && session->error.system_error == 0 && strcmp(session->error.file, path) == 0;
    return rc || session->model == NULL ? rc : check_tokens(session);
}
