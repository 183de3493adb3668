// depthprune doctor: what this build can do here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/protocol.h"
#include "cli/table.h"

// The first executable of that name on PATH, or NULL; free() it.
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");

    while (path && *path) {
        const int length = (int)strcspn(path, ":");
        char *file = NULL;
        if (asprintf(&file, "%.*s/%s", length, path, name) < 0)
            return NULL;
        if (access(file, X_OK) == 0)
            return file;
        free(file);
        path += length;
        path += *path == ':';
    }
    return NULL;
}

static void show_value(cli_table *table, const char *key, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

    cli_table_add(table, "%s", key);
    cli_table_add(table, "%s", text ? text : json_is_string(value) ? json_string_value(value) : "");
    free(text);
}

static void show(json_t *document)
{
    static const char *const parts[] = {"build", "protocol"};
    cli_table table = {.alignment = "ll"};
    const char *key;
    json_t *value;

    for (size_t i = 0; i < 2; i++) {
        json_object_foreach(json_object_get(document, parts[i]), key, value) if (strcmp(key, "seconds") != 0)
            show_value(&table, key, value);
    }
    cli_table_add(&table, "memory");
    cli_table_add(&table, "%s",
                  cli_words_bytes((double)json_integer_value(json_object_get(document, "memory"))).text);
    value = json_object_get(document, "gnuplot");
    cli_table_add(&table, "gnuplot");
    cli_table_add(&table, "%s",
                  json_is_string(value) ? json_string_value(value)
                                        : "not found: --plot needs it (Debian package gnuplot-nox)");
    cli_table_print(&table, stdout);
}

int cli_cmd_doctor(cli_session *session)
{
    const char *build = dp_build_info();
    json_t *document = cli_document_new("doctor"), *parsed = NULL;
    char *gnuplot = find_program("gnuplot");
    int rc = cli_session_context(session);

    if (rc == DP_OK)
        rc = cli_json_parse(session, build, strlen(build), "build", &parsed);
    if (rc == DP_OK)
        rc = cli_protocol_finish(session);
    json_object_set_new(document, "build", parsed);
    json_object_set_new(document, "memory",
                        json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)));
    json_object_set_new(document, "gnuplot", gnuplot ? json_string(gnuplot) : json_null());
    free(gnuplot);
    if (rc == DP_OK && session->settings->json)
        return cli_document_emit(session, document, NULL);
    if (rc == DP_OK) {
        json_object_set(document, "protocol", session->protocol);
        show(document);
    }
    json_decref(document);
    return rc;
}
