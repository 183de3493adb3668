// A process that has used a context and its threads forks: the child can open, compute and end, and free what it
// inherited; the parent then goes on as if nothing had been.      fork MODEL CHILDREN [all]
// Every second child frees what it inherited, or all do.
#include <sys/wait.h>
#include <unistd.h>

#include "test/fault/hosted.h"

#define LINKED(name) .name = name,
static const hosted_calls call = {HOSTED_CALLS(LINKED)};

static void child(const char *path, uint64_t wanted, dp_context *inherited, dp_model *model, int way)
{
    dp_context *context = NULL;
    dp_model *own = NULL;
    uint64_t sum;
    dp_error error;

    hosted_must(hosted_context(&call, 2, &context, &error), &error, "the child's context");
    hosted_must(dp_model_open(context, path, NULL, NULL, &own, &error), &error, "the child's model");
    hosted_must(hosted_all(&call, context, own, NULL, &sum, &error), &error, "the child's run");
    hosted_same(sum, wanted, "the child's run");
    hosted_must(hosted_all(&call, context, model, NULL, &sum, &error), &error, "the inherited model");
    hosted_same(sum, wanted, "the inherited model");
    dp_model_free(own);
    dp_context_free(context);
    if (way) {
        dp_model_free(model);
        dp_context_free(inherited);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    dp_context *context = NULL;
    dp_model *model = NULL;
    uint64_t wanted, sum;
    int status;
    dp_error error;

    if (argc < 3)
        return 2;
    hosted_must(hosted_context(&call, 2, &context, &error), &error, "context");
    hosted_must(dp_model_open(context, argv[1], NULL, NULL, &model, &error), &error, "open");
    hosted_must(hosted_all(&call, context, model, NULL, &wanted, &error), &error, "run"); // threads are there now
    for (int i = 0; i < atoi(argv[2]); i++) {
        const pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0)
            child(argv[1], wanted, context, model, i % 2 || argc > 3);
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status)) {
            fprintf(stderr, "child %d ended with status %x\n", i, (unsigned)status);
            return 1;
        }
        hosted_must(hosted_all(&call, context, model, NULL, &sum, &error), &error, "the parent's run");
        hosted_same(sum, wanted, "the parent's run");
    }
    dp_model_free(model);
    dp_context_free(context);
    return 0;
}
