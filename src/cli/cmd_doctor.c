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

// A list of texts is shown as its items, anything else but a text as JSON.
static char *words_of(const json_t *value)
{
    char *text = NULL;
    size_t size = 0, index;
    const json_t *item;

    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (!json_is_array(value))
        return json_dumps(value, JSON_ENCODE_ANY);
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    json_array_foreach(value, index, item)
        fprintf(stream, "%s%s", index ? ", " : "", json_is_string(item) ? json_string_value(item) : "?");
    fclose(stream);
    return text;
}

static void show_part(cli_table *table, const char *part, json_t *members)
{
    const char *key;
    json_t *value;

    json_object_foreach(members, key, value)
    {
        char *words = words_of(value);
        if (strcmp(key, "seconds") != 0) {
            cli_table_add(table, "%s", part);
            cli_table_add(table, "%s", key);
            cli_table_add(table, "%s", words ? words : "");
        }
        free(words);
    }
}

static void show(json_t *document)
{
    cli_table table = {.alignment = "lll"};
    const json_t *value = json_object_get(document, "gnuplot");
    const double memory = (double)json_integer_value(json_object_get(document, "memory"));

    show_part(&table, "built", json_object_get(document, "build"));
    show_part(&table, "runs", json_object_get(document, "protocol"));
    cli_table_add(&table, "found");
    cli_table_add(&table, "memory");
    cli_table_add(&table, "%s", cli_words_bytes(memory).text);
    cli_table_add(&table, "found");
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
