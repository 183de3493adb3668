// Every file call of a save fails, is cut short, or is where the process dies: the target is the old one or the new
// one, whole, and nothing else stays but what a killed process left, which the next save sweeps away.
//   saves WORK STEP: all calls with EIO and a kill half-way, every STEP-th with the other faults, and all after it
//   saves WORK log KIND FILE BEFORE: one save, what it does to the disk into FILE, the place before it into BEFORE
#include <depthprune/depthprune.h>
#include <sys/wait.h>

#include "test/fault/seam.h"
#include "test/fault/tree.h"

typedef struct kind {
    const char *name, *source;
    int32_t format, overwrite;
    uint64_t shard;
} kind;

static const kind kinds[] = {
    {"hf", "pieces", DP_FORMAT_HF, 0, 0},           {"hf-over", "pieces", DP_FORMAT_HF, 1, 0},
    {"sharded", "bytes", DP_FORMAT_HF, 0, 16000},   {"sharded-over", "bytes", DP_FORMAT_HF, 1, 16000},
    {"gguf", "pieces.gguf", DP_FORMAT_GGUF, 0, 0},  {"gguf-over", "pieces.gguf", DP_FORMAT_GGUF, 1, 0},
    {"to-hf", "pieces.gguf", DP_FORMAT_HF, 1, 0},   {"to-gguf", "bytes", DP_FORMAT_GGUF, 1, 0},
};

static const struct {
    const char *name;
    int how, everywhere;
    const char *does; // calls that it can strike, as seam_report has them
} faults[] = {
    {"EIO", EIO, 1, "tc "},
    {"kill half-way", SEAM_KILL_HALF, 1, "tc"},
    {"kill before", SEAM_KILL, 0, "tc"},
    {"short", SEAM_SHORT, 1, "t"},
    {"EINTR", EINTR, 0, "tc "},
    {"ENOSPC", ENOSPC, 0, "tc "},
    {"EDQUOT", EDQUOT, 0, "tc "},
    {"EACCES", EACCES, 0, "tc "},
};

static struct {
    dp_context *context;
    dp_model *whole, *pruned;
    const kind *kind;
    char place[600], target[700];
    uint64_t old, fresh; // what the target holds before and after
} now;

static const char *work;
static int broken;

static void bad(const char *fault, int at, int for_good, const char *what)
{
    printf("FAILED: %s, %s at call %d (%s)%s: %s\n", now.kind->name, fault, at, seam.report->name,
           for_good ? " and all after it" : "", what);
    broken++;
}

static int save(const dp_model *model, int32_t overwrite, dp_error *error)
{
    dp_save_options options;

    dp_save_options_init(&options, sizeof options);
    options.format = now.kind->format;
    options.max_shard_bytes = now.kind->shard;
    options.overwrite = overwrite;
    return dp_model_save(model, now.target, &options, NULL, NULL, error);
}

// A child saves the pruned model: 0 saved, 1 refused in words, 2 refused without, -1 killed.
static int run(int at, int how, int for_good)
{
    int status;
    fflush(stdout);
    const pid_t child = fork();

    if (child == 0) {
        dp_error error = {.code = DP_OK};
        seam_arm(at, how, for_good);
        const int rc = save(now.pruned, now.kind->overwrite, &error);
        seam.armed = 0;
        const int worded = error.code == rc && error.message[0] && !strchr(error.message, '\n');
        _exit(rc == DP_OK ? 0 : worded ? 1 : 2);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == 9 ? -1 : 3;
}

// The place as it was before: the old target alone, or nothing.
static void set_up(void)
{
    if (now.old && tree_sum(now.target) == now.old && tree_count(now.place) == 1)
        return;
    tree_remove(now.place);
    mkdir(now.place, 0777);
    if (now.kind->overwrite && save(now.whole, 0, NULL) != DP_OK)
        bad("no fault", 0, 0, "the old target cannot be made");
    now.old = tree_sum(now.target);
}

// After a death: the next save succeeds and takes what was left with it.
static void check_sweep(const char *fault, int at)
{
    if (tree_sum(now.target) == now.fresh && !now.kind->overwrite)
        tree_remove(now.target);
    if (run(0, 0, 0) != 0 || tree_sum(now.target) != now.fresh)
        bad(fault, at, 0, "the next save fails");
    if (tree_count(now.place) != 1)
        bad(fault, at, 0, "the next save does not sweep");
}

static void check_rest(const char *fault, int at, int for_good, int ended)
{
    const int names = tree_count(now.place), whole = tree_sum(now.target) != 0;

    if (ended == -1)
        check_sweep(fault, at);
    else if (names > whole && !for_good && !seam.report->removal)
        bad(fault, at, for_good, "something is left beside the target");
}

static void check(const char *fault, int how, int at, int for_good)
{
    set_up();
    const int ended = run(at, how, for_good);
    const uint64_t sum = tree_sum(now.target);

    if (sum != now.fresh && sum != now.old)
        bad(fault, at, for_good, "the target is neither the old nor the new");
    if (ended == 0 && sum != now.fresh)
        bad(fault, at, for_good, "success without the new target");
    if (ended > 1)
        bad(fault, at, for_good, ended == 2 ? "failed without words" : "died of another signal");
    if (ended == 0 && seam.report->lost && how > 0 && how != EINTR)
        bad(fault, at, for_good, "a sync or close that failed is not reported");
    if (ended > 0 && (how == SEAM_SHORT || (how == EINTR && seam.report->uncertain)))
        bad(fault, at, for_good, "a short or interrupted call is an error");
    check_rest(fault, at, for_good, ended);
}

static int open_kind(const kind *which)
{
    char path[700];
    dp_error error = {.code = DP_OK};
    const int32_t remove[] = {1};
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL;
    dp_context_options options;

    now.kind = which;
    snprintf(now.place, sizeof now.place, "%s/place", work);
    snprintf(now.target, sizeof now.target, "%s/model", now.place);
    snprintf(path, sizeof path, "%s/%s", work, which->source);
    dp_context_options_init(&options, sizeof options);
    options.threads = 1;
    int rc = dp_context_new(&options, &now.context, &error);
    if (!rc)
        rc = dp_model_open(now.context, path, NULL, NULL, &now.whole, &error);
    if (!rc)
        rc = dp_plan_from_list(now.context, now.whole, remove, 1, &plan, &error);
    if (!rc)
        rc = dp_pruner_new(now.context, NULL, &pruner, &error);
    if (!rc)
        rc = dp_pruner_run(pruner, now.whole, plan, &now.pruned, &error);
    dp_plan_free(plan);
    dp_pruner_free(pruner);
    now.old = 0;
    set_up();
    if (rc)
        bad("no fault", 0, 0, error.message);
    return rc;
}

static void close_kind(void)
{
    dp_model_free(now.pruned);
    dp_model_free(now.whole);
    dp_context_free(now.context);
    tree_remove(now.place);
}

// One fault at each call that it can strike, once and from then on.
static int sweep_fault(size_t fault, const seam_report *clean, int step)
{
    const int how = faults[fault].how, kills = how == SEAM_KILL || how == SEAM_KILL_HALF;
    int tried = 0;

    for (int at = 1, n = 0; at <= clean->calls && broken < 20; at++) {
        if (!strchr(faults[fault].does, clean->does[at]))
            continue;
        const int chosen = n++ % step == 0;
        for (int for_good = 0; for_good < 2 - kills; for_good++)
            if (chosen || (faults[fault].everywhere && !for_good)) {
                check(faults[fault].name, how, at, for_good);
                tried++;
            }
    }
    return tried;
}

static int sweep(const kind *which, int step)
{
    int tried = 0;

    if (open_kind(which))
        return 0;
    if (run(0, 0, 0) != 0 || seam.report->calls >= SEAM_MOST_CALLS)
        bad("no fault", 0, 0, "the save fails");
    const seam_report clean = *seam.report;
    now.fresh = tree_sum(now.target);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        tried += sweep_fault(i, &clean, step);
    printf("  %-13s %4d calls, %5d saves\n", which->name, clean.calls, tried);
    close_kind();
    return tried;
}

static int copy_place(const char *to)
{
    char command[1400];

    snprintf(command, sizeof command, "cp -r '%s/.' '%s'", now.place, to);
    return system(command);
}

static int log_one(const char *name, const char *path, const char *before)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        FILE *log = fopen(path, "w");
        if (!log || open_kind(&kinds[i]) || copy_place(before))
            return 1;
        seam_arm(0, 0, 0);
        seam.log = log;
        const int rc = save(now.pruned, now.kind->overwrite, NULL);
        seam.armed = 0;
        return fclose(log) != 0 || rc != DP_OK;
    }
    return 1;
}

int main(int argc, char **argv)
{
    int tried = 0;

    seam.report = mmap(NULL, sizeof *seam.report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    work = argv[1];
    if (argc == 6)
        return log_one(argv[3], argv[4], argv[5]);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        tried += sweep(&kinds[i], argc > 2 ? atoi(argv[2]) : 1);
    printf("%d saves with a fault, %d bad\n", tried, broken);
    return broken != 0;
}
