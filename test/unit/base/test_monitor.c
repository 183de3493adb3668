// The monitor: what is reported and when, both ways to stop, and its size rule.
#include "base/monitor.h"

#include <string.h>
#include <time.h>

#include "test/run.h"

typedef struct seen {
    int reports;
    int32_t answer;
    dp_progress last;
} seen;

static int32_t see(void *user, const dp_progress *now)
{
    seen *const s = user;

    s->reports++;
    s->last = *now;
    return s->answer;
}

static void nap(int milliseconds)
{
    const struct timespec time = {0, milliseconds * 1000000L};

    nanosleep(&time, NULL);
}

START_TEST(reports_the_first_look_and_the_last_unit)
{
    seen s = {0};
    const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1000000, .progress = see, .user = &s};
    dpi_watch watch;

    ck_assert_int_eq(dpi_watch_open(&watch, &monitor, NULL), DP_OK);
    dpi_watch_begin(&watch, "score", 10);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(dpi_watch_advance(&watch, 1, NULL), DP_OK);
    ck_assert_int_eq(s.reports, 1);
    ck_assert_int_eq(dpi_watch_advance(&watch, 1, NULL), DP_OK);
    ck_assert_int_eq(s.reports, 2);
    ck_assert_str_eq(s.last.phase, "score");
    ck_assert_uint_eq(s.last.done, 10);
    ck_assert_uint_eq(s.last.total, 10);
    ck_assert_uint_eq(s.last.size, sizeof(dp_progress));
    ck_assert(s.last.left == 0 && s.last.elapsed >= 0);
    dpi_watch_advance(&watch, 0, NULL);
    ck_assert_int_eq(s.reports, 2);
}
END_TEST

START_TEST(estimates_the_time_left)
{
    seen s = {0};
    const dp_monitor monitor = {.size = sizeof monitor, .interval_ms = 1, .progress = see, .user = &s};
    dpi_watch watch;

    dpi_watch_open(&watch, &monitor, NULL);
    dpi_watch_begin(&watch, "save", 4);
    dpi_watch_advance(&watch, 0, NULL);
    ck_assert(s.last.left < 0);
    nap(20);
    dpi_watch_advance(&watch, 1, NULL);
    ck_assert(s.last.left > 2.99 * s.last.elapsed && s.last.left < 3.01 * s.last.elapsed);
    ck_assert(s.last.elapsed >= 0.02);
    dpi_watch_begin(&watch, "read", 0);
    nap(2);
    dpi_watch_advance(&watch, 5, NULL);
    ck_assert(s.last.left < 0 && s.last.total == 0 && s.last.done == 5);
}
END_TEST

START_TEST(stops_for_good_when_the_callback_says_so)
{
    seen s = {.answer = 1};
    const dp_monitor monitor = {.size = sizeof monitor, .progress = see, .user = &s};
    dpi_watch watch;
    dp_error error;

    dpi_watch_open(&watch, &monitor, NULL);
    dpi_watch_begin(&watch, "score", 3);
    ck_assert_int_eq(dpi_watch_advance(&watch, 1, &error), DP_E_CANCELLED);
    ck_assert_int_eq(error.code, DP_E_CANCELLED);
    ck_assert_str_eq(error.message, "cancelled by the host");
    s.answer = 0;
    dpi_watch_begin(&watch, "more", 1);
    ck_assert_int_eq(dpi_watch_advance(&watch, 1, &error), DP_E_CANCELLED);
    ck_assert_int_eq(s.reports, 1);
}
END_TEST

START_TEST(stops_for_good_when_the_flag_is_set)
{
    int32_t cancel = 0;
    const dp_monitor monitor = {.size = sizeof monitor, .cancel = &cancel};
    dpi_watch watch;

    dpi_watch_open(&watch, &monitor, NULL);
    dpi_watch_begin(&watch, "score", 3);
    ck_assert_int_eq(dpi_watch_advance(&watch, 1, NULL), DP_OK);
    cancel = -1;
    ck_assert_int_eq(dpi_watch_advance(&watch, 0, NULL), DP_E_CANCELLED);
    cancel = 0;
    ck_assert_int_eq(dpi_watch_advance(&watch, 0, NULL), DP_E_CANCELLED);
}
END_TEST

START_TEST(does_without_a_monitor)
{
    dpi_watch watch;

    ck_assert_int_eq(dpi_watch_open(&watch, NULL, NULL), DP_OK);
    dpi_watch_begin(&watch, "score", 1);
    ck_assert_int_eq(dpi_watch_advance(&watch, UINT64_MAX, NULL), DP_OK);
    ck_assert_int_eq(dpi_watch_advance(&watch, 5, NULL), DP_OK);
    ck_assert_uint_eq(watch.done, UINT64_MAX);
    ck_assert_int_eq(dpi_watch_advance(NULL, 5, NULL), DP_OK);
    dpi_watch_begin(NULL, "score", 1);
}
END_TEST

START_TEST(checks_the_size)
{
    struct {
        dp_monitor known;
        uint64_t later;
    } newer = {.known = {.size = sizeof newer}};
    dp_monitor monitor = {.size = 0};
    dpi_watch watch;

    memset(&watch, 0x55, sizeof watch);
    const dpi_watch before = watch;
    ck_assert_int_eq(dpi_watch_open(&watch, &monitor, NULL), DP_E_ARGUMENT);
    monitor.size = sizeof monitor - 8;
    ck_assert_int_eq(dpi_watch_open(&watch, &monitor, NULL), DP_E_VERSION);
    newer.later = 1;
    ck_assert_int_eq(dpi_watch_open(&watch, &newer.known, NULL), DP_E_VERSION);
    ck_assert_mem_eq(&watch, &before, sizeof watch);
    newer.later = 0;
    ck_assert_int_eq(dpi_watch_open(&watch, &newer.known, NULL), DP_OK);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        reports_the_first_look_and_the_last_unit, estimates_the_time_left, stops_for_good_when_the_callback_says_so,
        stops_for_good_when_the_flag_is_set,      does_without_a_monitor,  checks_the_size};
    return dpt_run("base/monitor", tests, sizeof tests / sizeof *tests);
}
