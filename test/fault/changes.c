// The files of an open model are cut short, replaced and removed.  Copied weights do not care; of mapped ones a
// file that became shorter is an error before the next block is read, and the others live on.      changes FOLDER
// MODEL...
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/fault/hosted.h"

#define LINKED(name) .name = name,
static const hosted_calls call = {HOSTED_CALLS(LINKED)};
enum { CUT, EMPTY, REPLACE, REMOVE, GROW, WAYS };
static const char *const ways[] = {"cut", "emptied", "replaced", "removed", "grown"};

static void copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    ssize_t got;
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    while ((got = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)got) != got)
            exit(1);
    close(in);
    close(out);
}

static void change(const char *file, int way)
{
    char other[1100];
    struct stat facts;

    snprintf(other, sizeof other, "%s.other", file);
    if (stat(file, &facts))
        exit(1);
    if (way == CUT || way == EMPTY || way == GROW) {
        if (truncate(file, way == EMPTY ? 0 : way == CUT ? facts.st_size / 2 : facts.st_size + 4096))
            exit(1);
    } else if (way == REMOVE) {
        unlink(file);
    } else {
        const int out = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (write(out, "other", 5) != 5 || close(out) || rename(other, file))
            exit(1);
    }
}

// `file` is the weights of `model`, copied from `from` before.
static void one(const char *from, const char *file, const char *model_path, int32_t load, int way)
{
    dp_context *context = NULL;
    dp_model *model = NULL;
    dp_model_options options;
    uint64_t wanted, sum = 0;
    char what[64];
    dp_error error;

    copy(from, file);
    snprintf(what, sizeof what, "%s and %s", load == DP_LOAD_READ ? "copied" : "mapped", ways[way]);
    hosted_must(hosted_context(&call, 2, &context, &error), &error, what);
    dp_model_options_init(&options, sizeof options);
    options.load = load;
    for (int before = 0; before < 2; before++) { // before anything is read, and in between
        copy(from, file);
        hosted_must(dp_model_open(context, model_path, &options, NULL, &model, &error), &error, what);
        if (before)
            hosted_must(hosted_all(&call, context, model, NULL, &wanted, &error), &error, what);
        change(file, way);
        const int rc = hosted_all(&call, context, model, NULL, &sum, &error);
        const int lost = load == DP_LOAD_MAP && (way == CUT || way == EMPTY);
        if (rc != (lost && !before ? DP_E_IO : rc) || (!lost && rc) || (lost && rc != DP_E_IO)) {
            fprintf(stderr, "%s: %d %s %s\n", what, rc, rc ? error.file : "", rc ? error.message : "");
            exit(1);
        }
        if (lost &&
            (!strstr(error.message, "shrank while it was open") || !strstr(error.file, strrchr(file, '/')))) {
            fprintf(stderr, "%s: %s: %s\n", what, error.file, error.message);
            exit(1);
        }
        if (!lost && before)
            hosted_same(sum, wanted, what);
        if (lost && dp_model_check(model, NULL, &error) != DP_E_IO) {
            fprintf(stderr, "%s: check does not notice\n", what);
            exit(1);
        }
        dp_model_free(model);
    }
    dp_context_free(context);
}

// ORIGINAL FILE MODEL: the weights to copy, where to, and the model that has them.
int main(int argc, char **argv)
{
    for (int i = 1; i + 2 < argc; i += 3)
        for (int way = 0; way < WAYS; way++) {
            one(argv[i], argv[i + 1], argv[i + 2], DP_LOAD_MAP, way);
            one(argv[i], argv[i + 1], argv[i + 2], DP_LOAD_READ, way);
        }
    return argc < 4;
}
