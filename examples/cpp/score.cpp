// The C example in C++: handles in unique_ptr, failures as exceptions.   usage: score MODEL
#include <depthprune/depthprune.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

template <typename Handle, void (*release)(Handle *)> struct Freed {
    void operator()(Handle *handle) const { release(handle); }
};
template <typename Handle, void (*release)(Handle *)> using Owned = std::unique_ptr<Handle, Freed<Handle, release>>;

using Context = Owned<dp_context, dp_context_free>;
using Model = Owned<dp_model, dp_model_free>;
using Calibration = Owned<dp_calib, dp_calib_free>;
using Scorer = Owned<dp_scorer, dp_scorer_free>;
using Scores = Owned<dp_scores, dp_scores_free>;

struct Failure : std::runtime_error {
    explicit Failure(const dp_error &e)
        : std::runtime_error(std::string(e.file) + ": " + e.message), code(e.code)
    {
    }
    int code;
};

// Call f(arguments..., &handle, &error) and own what it made.
template <typename Owner, typename Function, typename... Arguments> Owner make(Function f, Arguments... arguments)
{
    typename Owner::pointer handle = nullptr;
    dp_error error = {};
    if (f(arguments..., &handle, &error) != DP_OK)
        throw Failure(error);
    return Owner(handle);
}

int32_t show(void *, const dp_progress *now)
{
    std::fprintf(stderr, "\r%s %llu of %llu", now->phase, (unsigned long long)now->done,
                 (unsigned long long)now->total);
    return 0;
}

int32_t stop(void *, const dp_progress *) { return 1; }

std::vector<int32_t> made_up_ids(const dp_model *model)
{
    dp_model_info info = {};
    dp_error error = {};
    info.size = sizeof info;
    if (dp_model_describe(model, &info, &error) != DP_OK)
        throw Failure(error);
    std::vector<int32_t> ids(4 * 32);
    for (size_t i = 0; i < ids.size(); i++)
        ids[i] = (static_cast<int32_t>(i) * 7 + 3) % info.vocab_size;
    return ids;
}

void run(const char *path)
{
    const dp_context_options *const defaults = nullptr;
    const dp_model_options *const mapped = nullptr;
    const dp_scorer_options *const by_perplexity = nullptr;
    const dp_monitor *const unwatched = nullptr;
    dp_monitor watching = {}, stopping = {};
    watching.size = stopping.size = sizeof(dp_monitor);
    watching.progress = show;
    stopping.progress = stop;

    const Context context = make<Context>(dp_context_new, defaults);
    const Model model = make<Model>(dp_model_open, context.get(), path, mapped, unwatched);
    const std::vector<int32_t> ids = made_up_ids(model.get());
    const Calibration calib = make<Calibration>(dp_calib_from_ids, context.get(), ids.data(), 4, 32);
    const Scorer scorer = make<Scorer>(dp_scorer_new, context.get(), by_perplexity);
    const dp_monitor *const watch = &watching;
    const Scores scores = make<Scores>(dp_scorer_run, scorer.get(), model.get(), calib.get(), watch);

    dp_scores_info info = {};
    info.size = sizeof info;
    dp_scores_describe(scores.get(), &info, nullptr);
    std::fprintf(stderr, "\n");
    for (int32_t block = 0; block < info.blocks; block++)
        std::printf("%d %.17g\n", block, info.scores[block]);
    try {
        const dp_monitor *const cancel = &stopping;
        make<Scores>(dp_scorer_run, scorer.get(), model.get(), calib.get(), cancel);
    } catch (const Failure &failure) {
        std::printf("cancelled: %s\n", dp_code_name(failure.code));
    }
    try {
        make<Model>(dp_model_open, context.get(), "no-such-model", mapped, unwatched);
    } catch (const Failure &failure) {
        std::printf("failed: %s: %s\n", dp_code_name(failure.code), failure.what());
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    try {
        run(argv[1]);
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
    return 0;
}
