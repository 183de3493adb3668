// What a folder or a file holds, as one number, and its removal: for the hosts of test/fault.
#ifndef TEST_FAULT_TREE_H
#define TEST_FAULT_TREE_H

#include <dirent.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline uint64_t tree_add(uint64_t sum, const void *bytes, size_t size) // FNV-1a
{
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return sum;
}

static inline uint64_t tree_file(uint64_t sum, const char *path)
{
    unsigned char bytes[4096];
    size_t got;
    FILE *file = fopen(path, "rb");

    if (!file)
        return tree_add(sum, "unreadable", 10);
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        sum = tree_add(sum, bytes, got);
    fclose(file);
    return sum;
}

static inline int tree_is_name(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static inline uint64_t tree_sum_into(uint64_t sum, const char *path, int levels)
{
    struct dirent **names;
    const int count = levels ? scandir(path, &names, tree_is_name, alphasort) : -1;
    char inner[1024];

    if (count < 0)
        return tree_file(sum, path);
    for (int i = 0; i < count; i++) {
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
        sum = tree_sum_into(tree_add(sum, names[i]->d_name, strlen(names[i]->d_name) + 1), inner, levels - 1);
        free(names[i]);
    }
    free(names);
    return sum;
}

// Names and bytes of a file or a folder; 0: there is nothing.
static inline uint64_t tree_sum(const char *path)
{
    return access(path, F_OK) == 0 ? tree_sum_into(0xcbf29ce484222325u, path, 4) : 0;
}

// Names in a folder.
static inline int tree_count(const char *path)
{
    struct dirent **names;
    const int count = scandir(path, &names, tree_is_name, NULL);

    for (int i = 0; i < count; i++)
        free(names[i]);
    if (count >= 0)
        free(names);
    return count;
}

static inline int tree_remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

static inline void tree_remove(const char *path)
{
    nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
