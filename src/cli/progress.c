// Progress on standard error.  A terminal gets one line that is redrawn; a file gets a plain line every ten
// seconds.
#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/session.h"

static const double PLAIN_INTERVAL = 10;

cli_words cli_words_seconds(double seconds)
{
    cli_words words;
    const double whole = floor(seconds + 0.5);

    if (seconds < 10)
        snprintf(words.text, sizeof words.text, "%.1f s", seconds);
    else if (whole < 120)
        snprintf(words.text, sizeof words.text, "%.0f s", whole);
    else if (whole < 7200)
        snprintf(words.text, sizeof words.text, "%.0f min %.0f s", floor(whole / 60), fmod(whole, 60));
    else
        snprintf(words.text, sizeof words.text, "%.0f h %.0f min", floor(whole / 3600),
                 floor(fmod(whole, 3600) / 60));
    return words;
}

static cli_words scaled(double value, const char *const *units)
{
    cli_words words;
    size_t unit = 0;

    while (value >= 999.5 && units[unit + 1]) {
        value /= 1000;
        unit++;
    }
    const int digits = unit == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(words.text, sizeof words.text, "%.*f%s%s", digits, value, *units[unit] ? " " : "", units[unit]);
    return words;
}

cli_words cli_words_bytes(double bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", NULL};

    return scaled(bytes, units);
}

cli_words cli_words_count(double count)
{
    static const char *const units[] = {"", "K", "M", "B", "T", NULL};

    return scaled(count, units);
}

void cli_progress_init(cli_progress *progress, int quiet)
{
    const char *terminal = getenv("TERM");
    const char *colourless = getenv("NO_COLOR");
    const int capable = terminal && strcmp(terminal, "dumb") != 0;

    *progress = (cli_progress){.quiet = quiet, .last = cli_clock()};
    progress->terminal = isatty(STDERR_FILENO) && capable;
    progress->colour = progress->terminal && (colourless == NULL || *colourless == 0);
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = 0;
}

static int columns(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void draw(cli_progress *progress, const dp_progress *now, double share)
{
    char bar[41], tail[80] = "";
    const int spare = columns() - 36;
    const int width = spare < 0 ? 0 : spare > 40 ? 40 : spare;
    const int full = (int)(share * width);

    memset(bar, '-', sizeof bar);
    memset(bar, '#', (size_t)full);
    bar[width] = 0;
    if (now->left >= 0 && now->elapsed > 0.5)
        snprintf(tail, sizeof tail, "  %s left", cli_words_seconds(now->left).text);
    const char *on = progress->colour ? "\033[32m" : "", *off = progress->colour ? "\033[0m" : "";
    fprintf(stderr, "\r\033[K%-10.10s [%s%.*s%s%s] %3.0f %%%s", now->phase, on, full, bar, off, bar + full,
            share * 100, tail);
    fflush(stderr);
    progress->drawn = 1;
}

static void say(cli_progress *progress, const dp_progress *now, double share)
{
    const double clock = cli_clock();

    if (clock - progress->last < PLAIN_INTERVAL)
        return;
    progress->last = clock;
    fprintf(stderr, "%s: %.0f %%", now->phase, share * 100);
    if (now->left >= 0)
        fprintf(stderr, ", %s left", cli_words_seconds(now->left).text);
    fputc('\n', stderr);
}

int32_t cli_progress_show(void *user, const dp_progress *now)
{
    cli_progress *progress = user;
    const double share = now->total ? (double)now->done / (double)now->total : 0;

    if (progress->quiet)
        return 0;
    if (progress->terminal)
        draw(progress, now, share > 1 ? 1 : share);
    else
        say(progress, now, share > 1 ? 1 : share);
    return 0;
}
