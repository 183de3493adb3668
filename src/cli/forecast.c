// Estimates for --dry-run: operations over an assumed speed of each thread, bytes over an assumed speed of the
// disk. They are meant to tell seconds from hours.
#include "cli/forecast.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/scoring.h"
#include "cli/table.h"

static const double OPERATIONS = 50e9; // a second and thread, float
static const double DISK = 500e6;      // bytes a second
static const double DOCUMENT = 4096;   // bytes of a small document

static double threads(const cli_session *session)
{
    cpu_set_t set;

    if (session->settings->threads)
        return session->settings->threads;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static void add(json_t **list, const char *path, double bytes)
{
    if (path == NULL)
        return;
    if (*list == NULL)
        *list = json_array();
    json_array_append_new(*list, json_pack("{s:o, s:I}", "path", cli_json_path(path), "bytes", (json_int_t)bytes));
}

void cli_forecast_read(cli_forecast *forecast, const char *path, double bytes)
{
    struct stat status = {0};

    if (path && bytes < 0) {
        if ((access(path, R_OK) || stat(path, &status)) && forecast->unread == NULL) {
            forecast->unread = path;
            forecast->reason = errno;
        }
        bytes = (double)status.st_size;
    }
    add(&forecast->reads, path, bytes);
}

void cli_forecast_write(cli_forecast *forecast, const char *path, double bytes)
{
    add(&forecast->writes, path, bytes < 0 ? DOCUMENT : bytes);
}

void cli_forecast_files(cli_forecast *forecast, int32_t files)
{
    json_t *last = json_array_get(forecast->writes, json_array_size(forecast->writes) - 1);

    json_object_set_new(last, "files", json_integer(files));
}

void cli_forecast_windows(cli_forecast *forecast, const cli_session *session, double windows, double length)
{
    const dp_model_info *m = &session->info;
    const double tokens = windows * length, at_once = windows < 16 ? windows : 16;
    const double weights = (double)m->block_parameters * m->blocks + (double)m->vocab_size * m->hidden_size;

    forecast->seconds += 2 * weights * tokens / (OPERATIONS * threads(session));
    forecast->memory += at_once * length * (double)sizeof(float) * (6.0 * m->hidden_size + 3.0 * m->ffn_size);
}

void cli_forecast_scoring(cli_forecast *forecast, const cli_session *session)
{
    const cli_settings *s = session->settings;
    const dp_model_info *m = &session->info;
    const double samples = s->samples ? s->samples : 10, length = s->length ? s->length : 128;
    const double tokens = samples * length, blocks = m->blocks;
    const int lockstep = strcmp(cli_scoring_criterion(s), "ppl") == 0; // streams of all candidates walk together

    if (!cli_scoring_needs_data(s)) {
        forecast->seconds += (double)m->parameters / (OPERATIONS * threads(session) / 50);
        return;
    }
    cli_forecast_windows(forecast, session, samples, length);
    if (!lockstep)
        return;
    const double passes = blocks * (blocks - 1) / 2; // beside those of the whole model
    const double head = (double)m->vocab_size * m->hidden_size * blocks;
    forecast->seconds +=
        2 * ((double)m->block_parameters * passes + head) * tokens / (OPERATIONS * threads(session));
    forecast->memory += blocks * tokens * m->hidden_size * (double)sizeof(float);
}

void cli_forecast_copy(cli_forecast *forecast, double bytes)
{
    forecast->seconds += 2 * bytes / DISK;
}

static void show(cli_table *table, const char *what, const json_t *list)
{
    const json_t *item;
    size_t index;

    json_array_foreach(list, index, item)
    {
        const double bytes = (double)json_integer_value(json_object_get(item, "bytes"));
        cli_table_add(table, "%s", what);
        cli_table_add(table, "%s", json_string_value(json_object_get(item, "path")));
        const json_t *files = json_object_get(item, "files");
        if (json_integer_value(files) > 1)
            cli_table_add(table, "%s in %d files", cli_words_bytes(bytes).text, (int)json_integer_value(files));
        else
            cli_table_add(table, "%s", cli_words_bytes(bytes).text);
    }
}

int cli_forecast_emit(cli_session *session, cli_forecast *forecast)
{
    cli_table table = {.alignment = "llr"};

    if (forecast->unread) {
        json_decref(forecast->reads);
        json_decref(forecast->writes);
        return cli_fail(session, DP_E_IO,
                        (cli_place){.file = forecast->unread, .system_error = forecast->reason}, "cannot be read");
    }
    json_t *document = cli_document_new("dry-run");
    if (forecast->reads == NULL)
        forecast->reads = json_array();
    if (forecast->writes == NULL)
        forecast->writes = json_array();
    if (!session->settings->json) {
        show(&table, "would read", forecast->reads);
        show(&table, "would write", forecast->writes);
        cli_table_print(&table, stdout);
        printf("may take %s", cli_words_seconds(forecast->seconds).text);
        printf(" and %s of memory beside the mapped weights\n", cli_words_bytes(forecast->memory).text);
    }
    json_object_set_new(document, "command", json_string(session->command->name));
    json_object_set_new(document, "reads", forecast->reads);
    json_object_set_new(document, "writes", forecast->writes);
    json_object_set_new(document, "seconds", json_real(forecast->seconds));
    json_object_set_new(document, "memory", json_integer((json_int_t)forecast->memory));
    return cli_document_emit(session, document, NULL);
}
