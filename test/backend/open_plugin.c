// Open a context and print what it runs on, or why not, and every log line.   usage: open_plugin BACKEND [PLUGIN]
#include <depthprune/depthprune.h>
#include <stdio.h>

static void print_line(void *user, int32_t level, const char *line)
{
    (void)user;
    printf("log %d: %s\n", level, line);
}

int main(int argc, char **argv)
{
    dp_context_options options;
    dp_context *context;
    dp_error error;
    char text[1024];

    dp_context_options_init(&options, sizeof options);
    options.backend = argv[1];
    options.plugin = argc > 2 ? argv[2] : NULL;
    options.log = print_line;
    if (dp_context_new(&options, &context, &error)) {
        printf("%s: %s: %s\n", dp_code_name(error.code), error.file, error.message);
        return 1;
    }
    dp_context_describe(context, text, sizeof text, NULL, NULL);
    puts(text);
    dp_context_free(context);
    return 0;
}
