// Opening what a run needs, once, and saying how it failed: one line with file, place, fact and what to do.
#include "cli/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/signals.h"

double cli_clock(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void cli_session_init(cli_session *session, const cli_settings *settings, const cli_command *command)
{
    *session = (cli_session){.settings = settings, .command = command, .started = cli_clock()};
    cli_progress_init(&session->progress, settings->quiet);
    session->monitor = (dp_monitor){
        .size = sizeof session->monitor,
        .cancel = cli_signals_flag(),
        .progress = cli_progress_show,
        .user = &session->progress,
    };
    session->kept = "nothing was written";
}

void cli_session_free(cli_session *session)
{
    json_decref(session->protocol);
    dp_tokenizer_free(session->tokenizer);
    dp_model_free(session->model);
    dp_context_free(session->context);
    free(session->journal);
    *session = (cli_session){0};
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

int cli_fail(cli_session *session, int code, cli_place place, const char *format, ...)
{
    dp_error *error = &session->error;
    va_list arguments;

    *error = (dp_error){.code = code, .offset = -1, .line = place.line, .column = place.column};
    error->system_error = place.system_error;
    copy_text(error->file, sizeof error->file, place.file);
    copy_text(error->item, sizeof error->item, place.item);
    va_start(arguments, format);
    const int used = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (place.system_error && used >= 0 && (size_t)used < sizeof error->message)
        snprintf(error->message + used, sizeof error->message - (size_t)used, ": %s", strerror(place.system_error));
    return code;
}

void cli_blame(cli_session *session, const char *path)
{
    if (session->error.file[0] == 0)
        copy_text(session->error.file, sizeof session->error.file, path);
}

int cli_usage(cli_session *session, const char *format, ...)
{
    dp_error *error = &session->error;
    va_list arguments;

    *error = (dp_error){.code = CLI_USAGE, .offset = -1};
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return CLI_USAGE;
}

static int is_plain(uint32_t point, size_t size)
{
    static const uint32_t least[5] = {0, 32, 160, 0x800, 0x10000}; // shortest forms only; no control characters

    return point >= least[size] && point != 127 && point - 0xD800 > 0x7FF && point <= 0x10FFFF;
}

// Bytes of the character at `text` that a terminal may get: 0 for control characters and what is no UTF-8.
static size_t plain_size(const unsigned char *text)
{
    const size_t size = text[0] < 0x80 ? 1 : text[0] < 0xC0 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    uint32_t point = size == 1 ? text[0] : text[0] & (0xFFu >> (size + 1));

    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3Fu);
    }
    return size && text[0] < 0xF8 && is_plain(point, size) ? size : 0;
}

// Control characters of names would reach the terminal, and lines are UTF-8.
static void print_plain(const char *text)
{
    while (*text) {
        const size_t size = plain_size((const unsigned char *)text);
        fwrite(size ? text : "?", size ? size : 1, 1, stderr);
        text += size ? size : 1;
    }
}

void cli_note(cli_session *session, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    if (session->settings->quiet)
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    cli_progress_clear(&session->progress);
    fputs("depthprune: note: ", stderr);
    print_plain(text ? text : format);
    fputc('\n', stderr);
    free(text);
}

static void show_log(void *user, int32_t level, const char *line)
{
    cli_session *session = user;

    if (session->muted)
        return;
    if (level <= DP_LOG_WARNING || session->command->bit == CLI_DOCTOR)
        cli_note(session, "%s", line);
}

int cli_session_context(cli_session *session)
{
    const cli_settings *s = session->settings;
    dp_context_options options;

    if (session->context)
        return DP_OK;
    dp_context_options_init(&options, sizeof options);
    if (s->backend)
        options.backend = s->backend;
    if (s->gemm)
        options.gemm = s->gemm;
    if (s->kernels)
        options.kernels = s->kernels;
    if (s->threads)
        options.threads = s->threads;
    if (s->memory)
        options.memory_limit = s->memory;
    options.log = show_log;
    options.log_user = session;
    const int rc = dp_context_new(&options, &session->context, &session->error);
    return rc == DP_E_ARGUMENT ? CLI_USAGE : rc;
}

int cli_session_model(cli_session *session)
{
    dp_model_options options;
    int rc = cli_session_context(session);

    if (rc || session->model)
        return rc;
    dp_model_options_init(&options, sizeof options);
    if (session->settings->load != CLI_UNSET)
        options.load = session->settings->load;
    if (session->settings->dry_run && session->command->bit == CLI_INSPECT)
        options.load = DP_LOAD_SHAPES;
    options.allow_nonfinite = session->settings->allow_nonfinite;
    session->advice = "the model is damaged or incomplete: fetch or export it again";
    rc = dp_model_open(session->context, session->settings->operands.items[0], &options, &session->monitor,
                       &session->model, &session->error);
    session->info = (dp_model_info){.size = sizeof session->info};
    if (rc == DP_OK)
        rc = dp_model_describe(session->model, &session->info, &session->error);
    return rc;
}

static const char *system_advice(int32_t number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return "check the path";
    case EACCES:
    case EPERM:
        return "check the permissions";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "make room there, or choose another place";
    default:
        return NULL;
    }
}

static const char *advice(const cli_session *session)
{
    const dp_error *error = &session->error;

    if (strchr(error->message, ';')) // it says itself what to do
        return NULL;
    switch (error->code) {
    case DP_E_UNSUPPORTED:
        return "'depthprune --help' and the README say what is read";
    case DP_E_FORMAT:
        return session->advice;
    case DP_E_NUMERIC:
        return session->command->bit == CLI_INSPECT ? session->advice
               : error->item[0]
                   ? "the model is damaged: fetch or export it again, or compute all the same with "
                     "--allow-nonfinite"
                   : "'depthprune inspect --check' finds weights that are not finite; others may be too large";
    case DP_E_MEMORY:
        return "raise --memory, or lower --samples, --length or --threads";
    case DP_E_BACKEND:
        return "'depthprune doctor' says what was found; --backend cpu always works";
    case DP_E_INTERNAL:
        return "this is a defect of depthprune: please report it";
    case DP_E_IO:
        return session->opened_nothing ? session->advice : system_advice(error->system_error);
    default:
        return NULL;
    }
}

static void print_place(const dp_error *error)
{
    print_plain(error->file);
    if (error->file[0] && error->line > 0)
        fprintf(stderr, ":%d", error->line);
    if (error->file[0] && error->line > 0 && error->column > 0)
        fprintf(stderr, ":%d", error->column);
    if (error->file[0] && error->line <= 0 && error->offset >= 0)
        fprintf(stderr, ", byte %lld", (long long)error->offset);
    if (error->file[0])
        fputs(": ", stderr);
    print_plain(error->item);
    if (error->item[0])
        fputs(": ", stderr);
}

int cli_session_conclude(cli_session *session, int code)
{
    const dp_error *error = &session->error;
    const char *hint = advice(session);

    cli_progress_clear(&session->progress);
    if (code == DP_OK)
        return 0;
    if (code == DP_E_CANCELLED) {
        fprintf(stderr, "depthprune: interrupted; %s\n", session->kept);
        return cli_signals_status();
    }
    fputs("depthprune: ", stderr);
    print_place(error);
    print_plain(error->message);
    if (code == CLI_USAGE)
        fprintf(stderr, "; see 'depthprune %s --help'", session->command->name);
    else if (hint)
        fprintf(stderr, "; %s", hint);
    fputc('\n', stderr);
    return code == CLI_USAGE ? 2 : 1;
}
