// Every allocation over a run of everything fails, once and from then on: first those that the library asks of its
// host, then those that jansson, PCRE2 and the C library make beneath it, of this program's malloc.  The answer is
// DP_E_MEMORY, nothing is held or left behind, and the same context then gives the same bytes.
//   allocations WORK STEP: of those beneath tries the first 20 of a scenario and then every STEP-th
#include <depthprune/depthprune.h>
#include <errno.h>
#include <stdatomic.h>

#include "test/fault/tree.h"

typedef struct faults {
    _Atomic int64_t calls, held;
    int64_t fail_at; // the call that fails, from 1; 0: none
    int for_good;    // and all after it
} faults;

static faults memory, beneath; // of the context's allocator; of malloc and its kin
static faults *swept = &memory;
static const char *work;
static int broken;

// What scenarios use and do not make themselves.
static struct {
    dp_context *context;
    dp_model *bytes, *parts, *gguf, *pieces;
    dp_tokenizer *tokenizer;
    dp_calib *calib;
    dp_scores *scores;
} base;

// ---- the two sources of memory

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static int fails(faults *f)
{
    const int64_t call = ++f->calls;

    return f->fail_at && (call == f->fail_at || (f->for_good && call > f->fail_at));
}

static void *counted(faults *f, void *block)
{
    f->held += block != NULL;
    return block;
}

static void *refused(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *take(void *user, uint64_t size, uint64_t align)
{
    return fails(user) ? NULL : counted(user, __libc_memalign(align, size));
}

static void give(void *user, void *block, uint64_t size)
{
    (void)size;
    ((faults *)user)->held--;
    __libc_free(block);
}

void *malloc(size_t size)
{
    return fails(&beneath) ? refused() : counted(&beneath, __libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(&beneath) ? refused() : counted(&beneath, __libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    return fails(&beneath) ? refused() : __libc_realloc(block, size);
}

void *memalign(size_t align, size_t size)
{
    return fails(&beneath) ? refused() : counted(&beneath, __libc_memalign(align, size));
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *block = memalign(align, size);

    if (block)
        *out = block;
    return block ? 0 : ENOMEM;
}

void free(void *block)
{
    beneath.held -= block != NULL;
    __libc_free(block);
}

int fsync(int file) // would take most of the time, and asks for no memory
{
    (void)file;
    return 0;
}

static void arm(int64_t at, int for_good)
{
    swept->calls = 0;
    swept->for_good = for_good;
    swept->fail_at = at;
}

static const char *under(const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", work, name);
    return path;
}

static void bad(const char *scenario, int64_t at, int for_good, const char *what)
{
    printf("FAILED: %s, allocation %lld%s: %s\n", scenario, (long long)at, for_good ? " and all after it" : "", what);
    broken++;
}

// ---- scenarios: each returns the code of the first call that fails, and adds what came out to *sum

static int new_context(int threads, dp_context **out, dp_error *error)
{
    const dp_allocator allocator = {.alloc = take, .free = give, .user = &memory};
    dp_context_options options;

    dp_context_options_init(&options, sizeof options);
    options.backend = "cpu";
    options.threads = threads;
    options.allocator = &allocator;
    return dp_context_new(&options, out, error);
}

static int try_context(uint64_t *sum, dp_error *error)
{
    dp_context *context = NULL;
    char text[1024];
    size_t needed = 0;
    int rc = new_context(2, &context, error);

    if (!rc)
        rc = dp_context_describe(context, text, sizeof text, &needed, error);
    if (!rc)
        *sum = tree_add(*sum, text, needed);
    dp_context_free(context);
    return rc;
}

static int try_open(const char *name, int32_t load, uint64_t *sum, dp_error *error)
{
    dp_model_info info = {.size = sizeof info};
    dp_model_options options;
    dp_model *model = NULL;
    char digest[65];

    dp_model_options_init(&options, sizeof options);
    options.load = load;
    int rc = dp_model_open(base.context, under(name), &options, NULL, &model, error);
    if (!rc)
        rc = dp_model_describe(model, &info, error);
    if (!rc)
        rc = dp_model_check(model, NULL, error);
    if (!rc)
        rc = dp_model_digest(model, NULL, digest, error);
    if (!rc)
        *sum = tree_add(*sum, digest, sizeof digest);
    dp_model_free(model);
    return rc;
}

static int open_hf(uint64_t *sum, dp_error *error)
{
    const int rc = try_open("pieces", DP_LOAD_MAP, sum, error);

    return rc ? rc : try_open("bytes", DP_LOAD_READ, sum, error);
}

static int open_parts(uint64_t *sum, dp_error *error)
{
    return try_open("parts", DP_LOAD_MAP, sum, error);
}

static int open_gguf(uint64_t *sum, dp_error *error)
{
    return try_open("pieces.gguf", DP_LOAD_MAP, sum, error);
}

static int try_tokenizer(const char *name, uint64_t *sum, dp_error *error)
{
    static const char text[] = "the heat <s> that  sat\n\xc3\xa9 \xff 12345";
    dp_tokenizer *tokenizer = NULL;
    int32_t ids[128];
    char back[256];
    size_t count = 0, size = 0;
    int rc = dp_tokenizer_open(base.context, under(name), &tokenizer, error);

    if (!rc)
        rc = dp_tokenizer_encode(tokenizer, text, sizeof text, DP_ENCODE_SPECIAL, ids, 128, &count, error);
    if (!rc)
        rc = dp_tokenizer_decode(tokenizer, ids, count, DP_DECODE_SPECIAL, back, sizeof back, &size, error);
    if (!rc)
        *sum = tree_add(tree_add(*sum, ids, count * sizeof *ids), back, size);
    dp_tokenizer_free(tokenizer);
    return rc;
}

static int tokenizer_of_pieces(uint64_t *sum, dp_error *error)
{
    return try_tokenizer("pieces", sum, error);
}

static int tokenizer_of_json_pieces(uint64_t *sum, dp_error *error)
{
    return try_tokenizer("pieces-json", sum, error);
}

static int tokenizer_of_bytes(uint64_t *sum, dp_error *error)
{
    return try_tokenizer("bytes", sum, error);
}

static int tokenizer_of_gguf(uint64_t *sum, dp_error *error)
{
    const int rc = try_tokenizer("pieces.gguf", sum, error);

    return rc ? rc : try_tokenizer("bytes.gguf", sum, error);
}

static int draw(const char *name, dp_calib **out, dp_error *error)
{
    dp_calib_options options;

    dp_calib_options_init(&options, sizeof options);
    options.samples = 3;
    options.length = 12;
    return dp_calib_open(base.context, base.tokenizer, under(name), &options, NULL, out, error);
}

static int try_calibration(const char *name, uint64_t *sum, dp_error *error)
{
    dp_calib *calib = NULL;
    const int rc = draw(name, &calib, error);

    if (!rc)
        *sum = tree_add(*sum, dp_calib_ids(calib), 3 * 12 * sizeof(int32_t));
    dp_calib_free(calib);
    return rc;
}

static int calibrate(uint64_t *sum, dp_error *error)
{
    const int rc = try_calibration("corpus.txt", sum, error);

    return rc ? rc : try_calibration("corpus.jsonl", sum, error);
}

static int score(const char *criterion, dp_scores **out, dp_error *error)
{
    dp_scorer_options options;
    dp_scorer *scorer = NULL;

    dp_scorer_options_init(&options, sizeof options);
    options.criterion = criterion;
    options.protect_first = options.protect_last = 0;
    int rc = dp_scorer_new(base.context, &options, &scorer, error);
    if (!rc)
        rc = dp_scorer_run(scorer, base.bytes, base.calib, NULL, out, error);
    dp_scorer_free(scorer);
    return rc;
}

static int try_score(const char *criterion, uint64_t *sum, dp_error *error)
{
    static char text[16384];
    dp_scores_info info = {.size = sizeof info};
    dp_scores *scores = NULL, *copy = NULL;
    size_t needed = 0;
    int rc = score(criterion, &scores, error);

    if (!rc)
        rc = dp_scores_write(scores, text, sizeof text, &needed, error);
    if (!rc)
        rc = dp_scores_read(base.context, text, needed - 1, NULL, &copy, error);
    if (!rc)
        rc = dp_scores_describe(copy, &info, error);
    if (!rc)
        *sum = tree_add(*sum, info.scores, (size_t)info.blocks * sizeof *info.scores);
    dp_scores_free(scores);
    dp_scores_free(copy);
    return rc;
}

static int score_magnitude(uint64_t *sum, dp_error *error)
{
    return try_score("mag", sum, error);
}

static int score_perplexity(uint64_t *sum, dp_error *error)
{
    return try_score("ppl", sum, error);
}

static int score_influence(uint64_t *sum, dp_error *error)
{
    return try_score("bi", sum, error);
}

// A pruned model of `model`: the plan is written and read back on its way.
static int prune(const dp_model *model, dp_model **out, dp_error *error)
{
    static char text[16384];
    dp_pruner_options options;
    dp_pruner *pruner = NULL;
    dp_plan *plan = NULL, *copy = NULL;
    size_t needed = 0;

    dp_pruner_options_init(&options, sizeof options);
    options.blocks = 1;
    int rc = dp_pruner_new(base.context, &options, &pruner, error);
    if (!rc)
        rc = dp_pruner_plan(pruner, model, base.scores, &plan, error);
    if (!rc)
        rc = dp_plan_write(plan, text, sizeof text, &needed, error);
    if (!rc)
        rc = dp_plan_read(base.context, text, needed - 1, NULL, &copy, error);
    if (!rc)
        rc = dp_pruner_run(pruner, model, copy, out, error);
    dp_plan_free(plan);
    dp_plan_free(copy);
    dp_pruner_free(pruner);
    return rc;
}

static int plan_and_prune(uint64_t *sum, dp_error *error)
{
    dp_model *pruned = NULL;
    char digest[65];
    int rc = prune(base.bytes, &pruned, error);

    if (!rc)
        rc = dp_model_digest(pruned, NULL, digest, error);
    if (!rc)
        *sum = tree_add(*sum, digest, sizeof digest);
    dp_model_free(pruned);
    return rc;
}

static int evaluate(uint64_t *sum, dp_error *error)
{
    const int32_t ids[] = {1, 40, 41, 42, 200, 7};
    static float out[6 * 288];
    dp_evaluator_options options;
    dp_evaluator *evaluator = NULL;
    dp_perplexity found = {.size = sizeof found};

    dp_evaluator_options_init(&options, sizeof options);
    options.window = 16;
    options.limit = 3;
    int rc = dp_evaluator_new(base.context, &options, &evaluator, error);
    if (!rc)
        rc = dp_evaluator_perplexity(evaluator, base.bytes, base.tokenizer, under("corpus.txt"), NULL, &found, error);
    if (!rc)
        rc = dp_evaluator_logits(evaluator, base.bytes, ids, 6, 2, NULL, out, error);
    if (!rc)
        rc = dp_evaluator_hidden(evaluator, base.bytes, ids, 6, 2, NULL, out, error);
    if (!rc)
        *sum = tree_add(tree_add(*sum, &found.nll, sizeof found.nll), out, 6 * 16 * sizeof *out);
    dp_evaluator_free(evaluator);
    return rc;
}

// Saves go to "out/model", alone in "out".
static int try_save(const dp_model *model, int32_t format, uint64_t shard, uint64_t *sum, dp_error *error)
{
    dp_save_options options;
    dp_save_report report = {.size = sizeof report};

    dp_save_options_init(&options, sizeof options);
    options.format = format;
    options.max_shard_bytes = shard;
    int rc = dp_model_save_estimate(model, under("out/model"), &options, &report, error);
    if (!rc)
        rc = dp_model_save(model, under("out/model"), &options, NULL, &report, error);
    swept->fail_at = 0; // what looks at it needs memory, too
    if (!rc)
        *sum = tree_add(*sum, &(uint64_t){tree_sum(under("out/model"))}, 8);
    return rc;
}

static int save_hf(uint64_t *sum, dp_error *error)
{
    return try_save(base.pieces, DP_FORMAT_HF, 0, sum, error);
}

static int save_parts(uint64_t *sum, dp_error *error)
{
    return try_save(base.parts, DP_FORMAT_HF, 9000, sum, error);
}

static int save_pruned_gguf(uint64_t *sum, dp_error *error)
{
    dp_model *pruned = NULL;
    int rc = prune(base.gguf, &pruned, error);

    if (!rc)
        rc = try_save(pruned, DP_FORMAT_GGUF, 0, sum, error);
    dp_model_free(pruned);
    return rc;
}

static int convert_to_gguf(uint64_t *sum, dp_error *error)
{
    return try_save(base.bytes, DP_FORMAT_GGUF, 0, sum, error);
}

static int convert_to_hf(uint64_t *sum, dp_error *error)
{
    return try_save(base.gguf, DP_FORMAT_HF, 0, sum, error);
}

static const struct {
    const char *name;
    int (*run)(uint64_t *sum, dp_error *error);
} scenarios[] = {
    {"context", try_context},
    {"open hf, check, digest", open_hf},
    {"open sharded hf", open_parts},
    {"open gguf", open_gguf},
    {"tokenizer.model", tokenizer_of_pieces},
    {"tokenizer.json, pieces", tokenizer_of_json_pieces},
    {"tokenizer.json, bytes", tokenizer_of_bytes},
    {"tokenizers of gguf", tokenizer_of_gguf},
    {"calibration", calibrate},
    {"score mag", score_magnitude},
    {"score ppl", score_perplexity},
    {"score bi", score_influence},
    {"plan and prune", plan_and_prune},
    {"eval", evaluate},
    {"save hf", save_hf},
    {"save sharded hf", save_parts},
    {"prune and save gguf", save_pruned_gguf},
    {"convert hf to gguf", convert_to_gguf},
    {"convert gguf to hf", convert_to_hf},
};

// ---- the sweep

static const char *words_of(int rc, int for_good, const dp_error *error)
{
    if (rc == DP_OK) // other libraries may do without
        return for_good && swept == &memory ? "succeeded without memory" : NULL;
    if (rc != DP_E_MEMORY)
        return error->message[0] ? error->message : dp_code_name(rc);
    if (error->code != rc)
        return "the error's code is another";
    return error->message[0] && !strchr(error->message, '\n') ? NULL : "the error's message is not one line";
}

// One run with allocation `at` failing, and one without: 1 when it failed as it should.
static int try_one(size_t index, int64_t at, int for_good, uint64_t wanted)
{
    const char *name = scenarios[index].name, *words;
    const int64_t held = memory.held, held_beneath = beneath.held;
    uint64_t sum = 1;
    dp_error error = {.code = DP_OK};

    arm(at, for_good);
    const int rc = scenarios[index].run(&sum, &error);
    arm(0, 0);
    if ((words = words_of(rc, for_good, &error)))
        bad(name, at, for_good, words);
    if (rc == DP_OK && sum != wanted)
        bad(name, at, for_good, "succeeded with other bytes");
    if (rc != DP_OK && tree_count(under("out")) != 0)
        bad(name, at, for_good, "something is left behind");
    if (memory.held != held || beneath.held != held_beneath)
        bad(name, at, for_good, "memory is held after it");
    tree_remove(under("out/model"));
    sum = 1;
    if (scenarios[index].run(&sum, NULL) != DP_OK || sum != wanted)
        bad(name, at, for_good, "the same run afterwards does not give the same");
    tree_remove(under("out/model"));
    return rc != DP_OK;
}

static int64_t sweep(size_t index, int64_t step, int64_t *failed)
{
    uint64_t wanted = 1;
    int64_t tried = 0;
    dp_error error = {.code = DP_OK};

    scenarios[index].run(&wanted, &error); // what is made once and kept is made here
    tree_remove(under("out/model"));
    wanted = 1;
    arm(0, 0);
    if (scenarios[index].run(&wanted, &error) != DP_OK)
        bad(scenarios[index].name, 0, 0, error.message);
    const int64_t calls = swept->calls;
    tree_remove(under("out/model"));
    for (int64_t at = 1; at <= calls && broken < 20; at += at < 20 ? 1 : step)
        for (int for_good = 0; for_good < 2; for_good++, tried++)
            *failed += try_one(index, at, for_good, wanted);
    printf("  %-26s %6lld allocations, %6lld runs\n", scenarios[index].name, (long long)calls, (long long)tried);
    return tried;
}

static int open_base(dp_error *error)
{
    const struct {
        const char *name;
        dp_model **to;
    } models[] = {
        {"bytes", &base.bytes}, {"parts", &base.parts}, {"pieces.gguf", &base.gguf}, {"pieces", &base.pieces}};
    int rc = new_context(1, &base.context, error);

    for (int i = 0; !rc && i < 4; i++)
        rc = dp_model_open(base.context, under(models[i].name), NULL, NULL, models[i].to, error);
    if (!rc)
        rc = dp_tokenizer_open(base.context, under("bytes"), &base.tokenizer, error);
    if (!rc)
        rc = draw("corpus.txt", &base.calib, error);
    return rc ? rc : score("mag", &base.scores, error);
}

static void close_base(void)
{
    dp_scores_free(base.scores);
    dp_calib_free(base.calib);
    dp_tokenizer_free(base.tokenizer);
    dp_model_free(base.bytes);
    dp_model_free(base.parts);
    dp_model_free(base.gguf);
    dp_model_free(base.pieces);
    dp_context_free(base.context);
    if (memory.held != 0)
        bad("everything", 0, 0, "memory is held at the end");
}

static void sweep_all(faults *source, int64_t step, const char *what)
{
    int64_t tried = 0, failed = 0;

    swept = source;
    printf("%s\n", what);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        tried += sweep(i, step, &failed);
    printf("  %lld runs with a failure, %lld ended in DP_E_MEMORY\n", (long long)tried, (long long)failed);
}

int main(int argc, char **argv)
{
    dp_error error = {.code = DP_OK};

    work = argc > 1 ? argv[1] : ".";
    mkdir(under("out"), 0777);
    if (open_base(&error)) {
        printf("FAILED: %s: %s\n", error.file, error.message);
        return 1;
    }
    sweep_all(&memory, 1, "memory of the context");
    sweep_all(&beneath, argc > 2 ? atoll(argv[2]) : 1, "memory of the libraries beneath");
    close_base();
    printf("%d bad\n", broken);
    return broken != 0;
}
