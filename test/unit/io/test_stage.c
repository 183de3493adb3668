// Saving: whole or not at all, and what may be replaced.
#include "test/unit/io/stage_support.h"

START_TEST(a_directory_appears_whole)
{
    const char *target = under(folder, "model");
    dpi_stage *stage = open_stage(target, 1, 0);

    put(stage, "config.json", "{}");
    ck_assert_int_eq(access(target, F_OK), -1);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    ck_assert(holds_text(under(target, "config.json"), "{}"));
    ck_assert_int_eq(names_in(folder), 1);
    ck_assert_int_eq(names_in(target), 1);
}
END_TEST

START_TEST(slashes_at_the_end_and_an_empty_directory_are_no_obstacle)
{
    const char *target = under(folder, "model");

    ck_assert_int_eq(mkdir(target, 0777), 0);
    save_directory(under(folder, "model//"), 0, "{}");
    ck_assert(holds_text(under(target, "config.json"), "{}"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(an_old_model_is_replaced_only_when_asked)
{
    const char *target = under(folder, "model");

    save_directory(target, 0, "old");
    write_text(under(target, "notes.txt"), "gone with the old one");
    ck_assert_int_eq(mkdir(under(target, "deep"), 0777), 0);
    ck_assert_int_eq(mkdir(under(target, "deep/deeper"), 0777), 0);
    write_text(under(target, "deep/deeper/file"), "x");
    refused(target, 1, 0, DP_E_ARGUMENT, "exists already");
    ck_assert_int_eq(names_in(folder), 1);
    save_directory(target, 1, "new");
    ck_assert(holds_text(under(target, "config.json"), "new"));
    ck_assert_int_eq(names_in(target), 2);
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(a_directory_that_is_no_model_is_never_replaced)
{
    const char *target = under(folder, "home");

    ck_assert_int_eq(mkdir(target, 0777), 0);
    write_text(under(target, "thesis.tex"), "years");
    write_text(under(target, "downloaded.gguf"), "a collection");
    refused(target, 1, 1, DP_E_ARGUMENT, "holds files but no model");
    ck_assert(holds_text(under(target, "thesis.tex"), "years"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(a_file_is_replaced_only_when_asked)
{
    const char *target = under(folder, "m.gguf");
    dpi_stage *stage;

    write_text(target, "old");
    refused(target, 0, 0, DP_E_ARGUMENT, "exists already; overwriting was not asked for");
    stage = open_stage(target, 0, 1);
    put(stage, NULL, "new");
    ck_assert(holds_text(dpi_stage_path(stage, NULL), "new"));
    ck_assert(holds_text(target, "old"));
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
    ck_assert(holds_text(target, "new"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(other_kinds_of_target_are_refused)
{
    const char *file = under(folder, "file"), *directory = under(folder, "directory"),
               *fifo = under(folder, "fifo");

    write_text(file, "text");
    ck_assert_int_eq(mkdir(directory, 0777), 0);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    refused(file, 1, 1, DP_E_ARGUMENT, "exists and is a file; a directory is to be written");
    refused(directory, 0, 1, DP_E_ARGUMENT, "exists and is a directory; a file is to be written");
    refused(fifo, 0, 1, DP_E_ARGUMENT, "neither a file nor a directory");
    refused(under(folder, "new/"), 0, 0, DP_E_ARGUMENT, "its name ends in '/'");
    refused("", 1, 1, DP_E_ARGUMENT, "the target has no name");
    refused("/", 1, 1, DP_E_ARGUMENT, "must end in a name of its own");
    refused("//", 1, 1, DP_E_ARGUMENT, "must end in a name of its own");
    refused(".", 1, 1, DP_E_ARGUMENT, "must end in a name of its own");
    refused("..", 1, 1, DP_E_ARGUMENT, "must end in a name of its own");
    refused(under(folder, "directory/."), 1, 1, DP_E_ARGUMENT, "must end in a name of its own");
    ck_assert_int_eq(names_in(folder), 3);
}
END_TEST

START_TEST(looking_first_says_the_same_and_writes_nothing)
{
    const char *file = under(folder, "m.gguf"), *model = under(folder, "model");
    uint64_t room = 0;
    dp_error error;

    ck_assert_int_eq(dpi_stage_check(context, model, 1, 0, &room, NULL), DP_OK);
    ck_assert_uint_gt(room, 0);
    ck_assert_int_eq(names_in(folder), 0);
    write_text(file, "old");
    room = 7;
    ck_assert_int_eq(dpi_stage_check(context, file, 0, 0, &room, &error), DP_E_ARGUMENT);
    ck_assert_msg(strstr(error.message, "exists already"), "%s", error.message);
    ck_assert_int_eq(dpi_stage_check(context, under(folder, "none/model"), 1, 0, &room, &error), DP_E_IO);
    ck_assert_uint_eq(room, 7);
    ck_assert_int_eq(dpi_stage_check(context, file, 0, 1, &room, NULL), DP_OK);
    ck_assert(holds_text(file, "old"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(a_missing_parent_is_named)
{
    dpi_stage *stage = NULL;
    dp_error error;

    ck_assert_int_eq(dpi_stage_open(&stage, context, under(folder, "none/model"), 1, 0, &error), DP_E_IO);
    ck_assert_str_eq(error.file, under(folder, "none"));
    ck_assert_int_eq(error.system_error, ENOENT);
    ck_assert_ptr_null(stage);
}
END_TEST

START_TEST(a_link_is_replaced_itself)
{
    const char *real = under(folder, "real"), *link = under(folder, "latest");
    struct stat facts;

    save_directory(real, 0, "kept");
    ck_assert_int_eq(symlink("real", link), 0);
    refused(link, 1, 0, DP_E_ARGUMENT, "exists already");
    save_directory(link, 1, "new");
    ck_assert(lstat(link, &facts) == 0 && S_ISDIR(facts.st_mode));
    ck_assert(holds_text(under(link, "config.json"), "new"));
    ck_assert(holds_text(under(real, "config.json"), "kept"));
    ck_assert_int_eq(names_in(folder), 2);
}
END_TEST

START_TEST(links_inside_an_old_model_are_not_followed)
{
    const char *target = under(folder, "model"), *outside = under(folder, "outside");

    save_directory(target, 0, "old");
    ck_assert_int_eq(mkdir(outside, 0777), 0);
    write_text(under(outside, "precious"), "kept");
    ck_assert_int_eq(symlink("../outside", under(target, "link")), 0);
    save_directory(target, 1, "new");
    ck_assert(holds_text(under(outside, "precious"), "kept"));
    ck_assert_int_eq(names_in(folder), 2);
}
END_TEST

START_TEST(abandoning_leaves_nothing)
{
    dpi_writer *writer = NULL;
    dpi_stage *stage = open_stage(under(folder, "model"), 1, 0);

    put(stage, "config.json", "{}");
    ck_assert_int_eq(dpi_stage_file(stage, "model.safetensors", &writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_add(writer, "half", 4, NULL), DP_OK);
    dpi_writer_abandon(writer);
    dpi_stage_abandon(stage);
    ck_assert_int_eq(names_in(folder), 0);
    stage = open_stage(under(folder, "m.gguf"), 0, 0);
    dpi_stage_abandon(stage);
    stage = open_stage(under(folder, "m.gguf"), 0, 0);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_E_STATE); // nothing was written
    ck_assert_int_eq(names_in(folder), 0);
    dpi_stage_abandon(NULL);
    dpi_writer_abandon(NULL);
}
END_TEST

START_TEST(names_inside_a_stage_are_plain)
{
    static const char *const names[] = {"", ".", "..", "../x", "/etc/x", "a/", "./a", "../a/b", "a/..", "a/b/c", NULL};
    dpi_stage *stage = open_stage(under(folder, "model"), 1, 0);
    dpi_writer *writer = NULL;
    dp_error error;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_eq(dpi_stage_file(stage, names[i], &writer, &error), DP_E_ARGUMENT);
        ck_assert_msg(strstr(error.message, "is not a plain file name"), "%s", error.message);
    }
    put(stage, "twice", "1");
    ck_assert_int_eq(dpi_stage_file(stage, "twice", &writer, &error), DP_E_IO);
    ck_assert_int_eq(error.system_error, EEXIST);
    dpi_stage_abandon(stage);
}
END_TEST

START_TEST(a_stage_holds_one_level_of_folders)
{
    const char *target = under(folder, "model");
    dpi_writer *writer = NULL;
    dp_error error;

    for (int round = 0; round < 2; round++) {
        dpi_stage *stage = open_stage(target, 1, 1);
        put(stage, "config.json", "{}");
        put(stage, "templates/a", round ? "A" : "a");
        put(stage, "templates/b", "b");
        put(stage, "...", "three dots are a name");
        ck_assert_int_eq(dpi_stage_file(stage, "templates/a", &writer, &error), DP_E_IO);
        ck_assert_int_eq(error.system_error, EEXIST);
        ck_assert_int_eq(dpi_stage_files(stage), 4);
        ck_assert(holds_text(dpi_stage_path(stage, "templates/b"), "b"));
        ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);
        ck_assert(holds_text(under(target, "templates/a"), round ? "A" : "a"));
        ck_assert_int_eq(names_in(under(target, "templates")), 2);
        ck_assert_int_eq(names_in(folder), 1);
    }
    dpi_stage *stage = open_stage(target, 1, 1);
    put(stage, "templates/a", "never");
    dpi_stage_abandon(stage);
    ck_assert(holds_text(under(target, "templates/a"), "A"));
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

// A link or a file that appears in the stage under the folder's name is not written through.
START_TEST(a_folder_of_a_stage_is_never_a_link)
{
    dpi_stage *stage = open_stage(under(folder, "model"), 1, 0);
    dpi_writer *writer = NULL;
    char path[600];
    dp_error error;

    ck_assert_int_eq(mkdir(under(folder, "elsewhere"), 0777), 0);
    snprintf(path, sizeof path, "%s", dpi_stage_path(stage, "templates"));
    ck_assert_int_eq(symlink(under(folder, "elsewhere"), path), 0);
    ck_assert_int_eq(dpi_stage_file(stage, "templates/a", &writer, &error), DP_E_IO);
    ck_assert_int_eq(error.system_error, ENOTDIR);
    ck_assert_int_eq(names_in(under(folder, "elsewhere")), 0);
    dpi_stage_abandon(stage);
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(long_names_are_possible)
{
    char name[256];

    memset(name, 'n', 255);
    name[255] = 0;
    save_directory(under(folder, name), 0, "{}");
    save_directory(under(folder, name), 1, "[]");
    ck_assert_int_eq(names_in(folder), 1);
}
END_TEST

START_TEST(many_small_and_one_large_piece_arrive_in_order)
{
    enum { PIECES = 100000, LARGE = 3 << 20 };
    const char *target = under(folder, "m.gguf");
    unsigned char *large = malloc(LARGE), piece[7];
    dpi_stage *stage = open_stage(target, 0, 0);
    dpi_writer *writer = NULL;

    for (int i = 0; i < LARGE; i++)
        large[i] = (unsigned char)(i * 7 >> 3);
    ck_assert_int_eq(dpi_stage_file(stage, NULL, &writer, NULL), DP_OK);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i & 0xff, sizeof piece);
        ck_assert_int_eq(dpi_writer_add(writer, piece, sizeof piece, NULL), DP_OK);
    }
    ck_assert_int_eq(dpi_writer_add(writer, large, LARGE, NULL), DP_OK);
    ck_assert_int_eq(dpi_writer_add(writer, "end", 3, NULL), DP_OK);
    ck_assert_uint_eq(dpi_writer_size(writer), 7 * PIECES + LARGE + 3);
    ck_assert_int_eq(dpi_writer_end(writer, NULL), DP_OK);
    ck_assert_int_eq(dpi_stage_commit(stage, NULL), DP_OK);

    FILE *file = fopen(target, "rb");
    for (int i = 0; i < 7 * PIECES; i++)
        ck_assert_int_eq(fgetc(file), i / 7 & 0xff);
    for (int i = 0; i < LARGE; i++)
        ck_assert_int_eq(fgetc(file), large[i]);
    ck_assert(fgetc(file) == 'e' && fgetc(file) == 'n' && fgetc(file) == 'd' && fgetc(file) == EOF);
    fclose(file);
    free(large);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_directory_appears_whole,
                                  slashes_at_the_end_and_an_empty_directory_are_no_obstacle,
                                  an_old_model_is_replaced_only_when_asked,
                                  a_directory_that_is_no_model_is_never_replaced,
                                  a_file_is_replaced_only_when_asked,
                                  other_kinds_of_target_are_refused,
                                  looking_first_says_the_same_and_writes_nothing,
                                  a_missing_parent_is_named,
                                  a_link_is_replaced_itself,
                                  links_inside_an_old_model_are_not_followed,
                                  abandoning_leaves_nothing,
                                  names_inside_a_stage_are_plain,
                                  a_stage_holds_one_level_of_folders,
                                  a_folder_of_a_stage_is_never_a_link,
                                  long_names_are_possible,
                                  many_small_and_one_large_piece_arrive_in_order};

    return run_stage_tests("io/stage", tests, sizeof tests / sizeof *tests);
}
