// Trials of the operations that work row by row: rmsnorm, rope and softmax.
#ifndef TEST_ROW_CASES_H
#define TEST_ROW_CASES_H

#include "test/unit/backend/conformance.h"

static const int32_t activations[] = {DP_F32, DP_F32, DP_F32, DP_F16, DP_BF16, DP_F64};
static const int32_t vectors[] = {DP_F32, DP_F16, DP_BF16};

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

static inline int64_t extra(void)
{
    return draw() % 2 ? 0 : between(1, 9);
}

static inline int64_t size(int64_t most)
{
    return draw() % 4 ? between(1, most) : 1;
}

CALL(rmsnorm)
CALL(rope)
CALL(softmax)

static double norm_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    (void)t, (void)i, (void)r, (void)c;
    return 0x1p-19 * fabs(want);
}

static void rmsnorm_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t rows = size(50), cols = size(300);
        dp_rmsnorm_args args = {.x = make_mat(type, rows, cols, extra()), .epsilon = 1e-5F};
        trial t = {"rmsnorm", call_rmsnorm, &args, {&args.x, &args.weight, &args.y, &args.rstd}, 12, norm_slack, {0}, 0};

        args.weight = make_mat(vectors[draw() % 3], 1, cols, 0);
        args.y = draw() % 3 ? make_mat(type, rows, cols, extra()) : args.x;
        if (draw() % 2)
            args.rstd = make_mat(DP_F32, rows, 1, extra());
        run_trial(b, &t, type == DP_F32);
    }
}

static double rope_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_rope_args *a = t->args;
    const int64_t half = a->head_dim / 2, at = c % a->head_dim;
    const int64_t other = a->pairing == DP_ROPE_HALF ? (at < half ? c + half : c - half) : c ^ 1;

    (void)i, (void)want;
    return 4 * unit * (fabs(t->wide[0][r * a->x.cols + c]) + fabs(t->wide[0][r * a->x.cols + other]));
}

static void rope_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t rows = size(40), dim = 2 * between(1, 40), heads = size(5);
        int32_t positions[40];
        float frequencies[40];
        dp_rope_args args = {make_mat(type, rows, heads * dim, extra()), positions, frequencies, (int32_t)dim,
                             i % 2, draw() % 2, 0};
        trial t = {"rope", call_rope, &args, {&args.x}, 1, rope_slack, {0}, 0};

        for (int r = 0; r < 40; r++) {
            positions[r] = (int32_t)(draw() % 3 ? between(0, 200) : between(0, 130000));
            frequencies[r] = (float)pow(10000, -r / 40.0);
        }
        run_trial(b, &t, type == DP_F32);
    }
}

static double largest(const double *x, int64_t count)
{
    double most = 0;

    for (int64_t k = 0; k < count; k++)
        most = fmax(most, fabs(x[k]));
    return most;
}

static double softmax_slack(trial *t, int i, int64_t r, int64_t c, double want)
{
    const dp_softmax_args *a = t->args;

    (void)i;
    if (c == 0)
        t->work = fabs((double)a->scale) * largest(t->wide[0] + r * a->x.cols, a->x.cols);
    return unit * (8 + 4 * t->work) * want + 0x1p-126;
}

static void softmax_cases(bench *b)
{
    for (int i = 0; i < 60; i++) {
        const int32_t type = activations[i % COUNT(activations)];
        const int64_t queries = size(20), cols = queries + between(0, 60), rows = queries * size(6);
        dp_softmax_args args = {.x = make_mat(type, rows, cols, extra()), .queries = queries,
                                .scale = real() * (float)between(1, 30), .causal = i % 2};
        trial t = {"softmax", call_softmax, &args, {&args.x, &args.y}, 2, softmax_slack, {0}, 0};

        args.y = draw() % 2 ? make_mat(type, rows, cols, extra()) : args.x;
        run_trial(b, &t, type == DP_F32);
    }
}

#endif
