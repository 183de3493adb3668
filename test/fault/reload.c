// The library opened, used with threads and closed again, many times: after all rounds there are the mappings,
// threads and bytes of memory that there were after half of them, and none of the library's.
//   reload LIBRARY MODEL TIMES GEMM
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include "test/fault/hosted.h"

static uint64_t one_round(const char *library, const char *path)
{
    hosted_calls call;
    dp_context *context = NULL;
    dp_model *model = NULL;
    uint64_t sum = 0;
    dp_error error;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
#define FOUND(name) *(void **)&call.name = dlsym(handle, #name);
    HOSTED_CALLS(FOUND)
    hosted_must(hosted_context(&call, 2, &context, &error), &error, "context");
    hosted_must(call.dp_model_open(context, path, NULL, NULL, &model, &error), &error, "open");
    hosted_must(hosted_all(&call, context, model, NULL, &sum, &error), &error, "run");
    call.dp_model_free(model);
    call.dp_context_free(context);
    dlclose(handle);
    return sum;
}

// Lines of /proc/self/maps, and how many of them name a file with this in its name.
static int mappings(const char *name)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[4096];
    int count = 0;

    while (file && fgets(line, sizeof line, file))
        count += !name || strstr(line, name) != NULL;
    if (file)
        fclose(file);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    hosted_gemm = argv[4];
    const int times = atoi(argv[3]), half = times / 2;
    const uint64_t wanted = one_round(argv[1], argv[2]);
    for (int i = 1; i < half; i++)
        hosted_same(one_round(argv[1], argv[2]), wanted, "a round");
    const int maps = mappings(NULL), tasks = hosted_tasks();
    const size_t held = mallinfo2().uordblks;
    for (int i = half; i < times; i++)
        hosted_same(one_round(argv[1], argv[2]), wanted, "a round");
    usleep(50000);
    const size_t holds = mallinfo2().uordblks;
    printf(
        "%d and %d rounds: mappings %d and %d, threads %d and %d, bytes of heap %zu and %zu; mappings left of the "
        "library %d, of openblas %d\n",
        half, times, maps, mappings(NULL), tasks, hosted_tasks(), held, holds, mappings("libdepthprune"),
        mappings("openblas"));
    return mappings(NULL) != maps || tasks != 1 || hosted_tasks() != 1 || holds != held ||
           mappings("libdepthprune") != 0 || mappings("openblas") != 0;
}
