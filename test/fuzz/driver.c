// Runs a fuzz target on files, without a fuzzer.   usage: TARGET FILE|FOLDER ...
#include <dirent.h>

#include "test/fuzz/fuzz.h"

static int run_file(const char *path)
{
    static uint8_t room[1 << 20];
    FILE *const file = fopen(path, "rb");

    if (!file) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    const size_t size = fread(room, 1, sizeof room, file);
    const int whole = fgetc(file) == EOF && !ferror(file);
    fclose(file);
    if (!whole) {
        fprintf(stderr, "%s: larger than an input is\n", path);
        return 1;
    }
    LLVMFuzzerTestOneInput(room, size);
    return 0;
}

static int is_plain(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int run_folder(const char *folder, struct dirent **entries, int count, size_t *runs)
{
    char path[4096];
    int failed = 0;

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        failed |= run_file(path);
        *runs += 1;
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    size_t runs = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        struct dirent **entries = NULL;
        const int count = scandir(argv[i], &entries, is_plain, alphasort);
        if (count >= 0) {
            failed |= run_folder(argv[i], entries, count, &runs);
        } else {
            failed |= run_file(argv[i]);
            runs++;
        }
    }
    dpi_context_drop(fuzz_context());
    printf("%zu inputs\n", runs);
    return failed || runs == 0;
}
