// Where every field of the structs of 0.1 lies, and of what type: lines are added with a release, never edited.
#include <depthprune/depthprune.h>

#define TYPED(record, field, place, type)                                                                       \
    _Static_assert(offsetof(record, field) == (place) &&                                                         \
                       _Generic(((record *)0)->field, type: 1, default: 0),                                      \
                   #record "." #field " moved or changed its type")
#define SIZED(record, field, place, size)                                                                       \
    _Static_assert(offsetof(record, field) == (place) && sizeof(((record *)0)->field) == (size),                 \
                   #record "." #field " moved or changed its size")
// dp_error
TYPED(dp_error, offset, 0, int64_t);
TYPED(dp_error, code, 8, int32_t);
TYPED(dp_error, system_error, 12, int32_t);
TYPED(dp_error, line, 16, int32_t);
TYPED(dp_error, column, 20, int32_t);
SIZED(dp_error, file, 24, 512);
SIZED(dp_error, item, 536, 128);
SIZED(dp_error, message, 664, 320);
SIZED(dp_error, reserved, 984, 32);

// dp_allocator
SIZED(dp_allocator, alloc, 0, 8);
SIZED(dp_allocator, free, 8, 8);
TYPED(dp_allocator, user, 16, void *);

// dp_context_options
TYPED(dp_context_options, size, 0, uint32_t);
TYPED(dp_context_options, threads, 4, int32_t);
TYPED(dp_context_options, memory_limit, 8, uint64_t);
TYPED(dp_context_options, backend, 16, const char *);
TYPED(dp_context_options, gemm, 24, const char *);
TYPED(dp_context_options, kernels, 32, const char *);
TYPED(dp_context_options, plugin, 40, const char *);
TYPED(dp_context_options, allocator, 48, const dp_allocator *);
TYPED(dp_context_options, log, 56, dp_log_function);
TYPED(dp_context_options, log_user, 64, void *);

// dp_progress
TYPED(dp_progress, size, 0, uint32_t);
TYPED(dp_progress, reserved, 4, uint32_t);
TYPED(dp_progress, phase, 8, const char *);
TYPED(dp_progress, done, 16, uint64_t);
TYPED(dp_progress, total, 24, uint64_t);
TYPED(dp_progress, elapsed, 32, double);
TYPED(dp_progress, left, 40, double);

// dp_monitor
TYPED(dp_monitor, size, 0, uint32_t);
TYPED(dp_monitor, interval_ms, 4, uint32_t);
TYPED(dp_monitor, cancel, 8, const int32_t *);
SIZED(dp_monitor, progress, 16, 8);
TYPED(dp_monitor, user, 24, void *);

// dp_tokenizer_info
TYPED(dp_tokenizer_info, size, 0, uint32_t);
TYPED(dp_tokenizer_info, tokens, 4, int32_t);
TYPED(dp_tokenizer_info, bos, 8, int32_t);
TYPED(dp_tokenizer_info, eos, 12, int32_t);
TYPED(dp_tokenizer_info, unk, 16, int32_t);
TYPED(dp_tokenizer_info, pad, 20, int32_t);
TYPED(dp_tokenizer_info, adds_bos, 24, int32_t);
TYPED(dp_tokenizer_info, reserved, 28, int32_t);
TYPED(dp_tokenizer_info, kind, 32, const char *);
TYPED(dp_tokenizer_info, digest, 40, const char *);

// dp_model_options
TYPED(dp_model_options, size, 0, uint32_t);
TYPED(dp_model_options, load, 4, int32_t);
TYPED(dp_model_options, allow_nonfinite, 8, int32_t);

// dp_model_info
TYPED(dp_model_info, size, 0, uint32_t);
TYPED(dp_model_info, format, 4, int32_t);
TYPED(dp_model_info, architecture, 8, const char *);
TYPED(dp_model_info, path, 16, const char *);
TYPED(dp_model_info, type, 24, int32_t);
TYPED(dp_model_info, blocks, 28, int32_t);
TYPED(dp_model_info, hidden_size, 32, int32_t);
TYPED(dp_model_info, heads, 36, int32_t);
TYPED(dp_model_info, kv_heads, 40, int32_t);
TYPED(dp_model_info, head_dim, 44, int32_t);
TYPED(dp_model_info, ffn_size, 48, int32_t);
TYPED(dp_model_info, vocab_size, 52, int32_t);
TYPED(dp_model_info, context, 56, int32_t);
TYPED(dp_model_info, tied_head, 60, int32_t);
TYPED(dp_model_info, norm_epsilon, 64, double);
TYPED(dp_model_info, rope_base, 72, double);
TYPED(dp_model_info, parameters, 80, uint64_t);
TYPED(dp_model_info, block_parameters, 88, uint64_t);
TYPED(dp_model_info, bytes, 96, uint64_t);

// dp_weight
TYPED(dp_weight, size, 0, uint32_t);
TYPED(dp_weight, type, 4, int32_t);
TYPED(dp_weight, name, 8, const char *);
TYPED(dp_weight, data, 16, const void *);
TYPED(dp_weight, bytes, 24, uint64_t);
TYPED(dp_weight, rows, 32, int64_t);
TYPED(dp_weight, columns, 40, int64_t);
TYPED(dp_weight, block, 48, int32_t);
TYPED(dp_weight, reserved, 52, int32_t);

// dp_save_options
TYPED(dp_save_options, size, 0, uint32_t);
TYPED(dp_save_options, format, 4, int32_t);
TYPED(dp_save_options, type, 8, int32_t);
TYPED(dp_save_options, overwrite, 12, int32_t);
TYPED(dp_save_options, max_shard_bytes, 16, uint64_t);

// dp_save_report
TYPED(dp_save_report, size, 0, uint32_t);
TYPED(dp_save_report, files, 4, int32_t);
TYPED(dp_save_report, bytes, 8, uint64_t);
TYPED(dp_save_report, parameters, 16, uint64_t);

// dp_calib_options
TYPED(dp_calib_options, size, 0, uint32_t);
TYPED(dp_calib_options, samples, 4, int32_t);
TYPED(dp_calib_options, length, 8, int32_t);
TYPED(dp_calib_options, rows, 12, int32_t);
TYPED(dp_calib_options, seed, 16, uint64_t);
TYPED(dp_calib_options, bos_each, 24, int32_t);
TYPED(dp_calib_options, encode, 28, uint32_t);
TYPED(dp_calib_options, row_bos, 32, int32_t);
TYPED(dp_calib_options, reserved, 36, int32_t);

// dp_calib_info
TYPED(dp_calib_info, size, 0, uint32_t);
TYPED(dp_calib_info, samples, 4, int32_t);
TYPED(dp_calib_info, length, 8, int32_t);
TYPED(dp_calib_info, rows, 12, int32_t);
TYPED(dp_calib_info, seed, 16, uint64_t);
TYPED(dp_calib_info, digest, 24, const char *);
TYPED(dp_calib_info, source, 32, const char *);

// dp_scorer_options
TYPED(dp_scorer_options, size, 0, uint32_t);
TYPED(dp_scorer_options, norm_power, 4, int32_t);
TYPED(dp_scorer_options, criterion, 8, const char *);
TYPED(dp_scorer_options, weight_reduction, 16, int32_t);
TYPED(dp_scorer_options, block_reduction, 20, int32_t);
TYPED(dp_scorer_options, projections_only, 24, int32_t);
TYPED(dp_scorer_options, protect_first, 28, int32_t);
TYPED(dp_scorer_options, protect_last, 32, int32_t);
TYPED(dp_scorer_options, group_samples, 36, int32_t);
TYPED(dp_scorer_options, resume, 40, int32_t);
TYPED(dp_scorer_options, reserved, 44, int32_t);
TYPED(dp_scorer_options, journal, 48, const char *);

// dp_scores_info
TYPED(dp_scores_info, size, 0, uint32_t);
TYPED(dp_scores_info, blocks, 4, int32_t);
TYPED(dp_scores_info, criterion, 8, const char *);
TYPED(dp_scores_info, scores, 16, const double *);
TYPED(dp_scores_info, order, 24, const int32_t *);
TYPED(dp_scores_info, dense, 32, double);
TYPED(dp_scores_info, protect_first, 40, int32_t);
TYPED(dp_scores_info, protect_last, 44, int32_t);

// dp_pruner_options
TYPED(dp_pruner_options, size, 0, uint32_t);
TYPED(dp_pruner_options, blocks, 4, int32_t);
TYPED(dp_pruner_options, ratio, 8, double);
TYPED(dp_pruner_options, parameters, 16, uint64_t);
TYPED(dp_pruner_options, protect_first, 24, int32_t);
TYPED(dp_pruner_options, protect_last, 28, int32_t);

// dp_plan_info
TYPED(dp_plan_info, size, 0, uint32_t);
TYPED(dp_plan_info, blocks, 4, int32_t);
TYPED(dp_plan_info, removed, 8, const int32_t *);
TYPED(dp_plan_info, kept, 16, const int32_t *);
TYPED(dp_plan_info, n_removed, 24, int32_t);
TYPED(dp_plan_info, n_kept, 28, int32_t);

// dp_evaluator_options
TYPED(dp_evaluator_options, size, 0, uint32_t);
TYPED(dp_evaluator_options, window, 4, int32_t);
TYPED(dp_evaluator_options, mode, 8, int32_t);
TYPED(dp_evaluator_options, bos, 12, int32_t);
TYPED(dp_evaluator_options, encode, 16, uint32_t);
TYPED(dp_evaluator_options, batch, 20, int32_t);
TYPED(dp_evaluator_options, limit, 24, int64_t);

// dp_perplexity
TYPED(dp_perplexity, size, 0, uint32_t);
TYPED(dp_perplexity, window, 4, int32_t);
TYPED(dp_perplexity, mode, 8, int32_t);
TYPED(dp_perplexity, bos, 12, int32_t);
TYPED(dp_perplexity, windows, 16, int64_t);
TYPED(dp_perplexity, tokens, 24, int64_t);
TYPED(dp_perplexity, nll, 32, double);
TYPED(dp_perplexity, perplexity, 40, double);
SIZED(dp_perplexity, digest, 48, 72);
