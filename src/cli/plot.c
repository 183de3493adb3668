// Bars of score by block: gnuplot reads the script from a pipe and writes the picture into our temporary file.
#include "cli/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"

extern char **environ;

static const double LOG_FROM = 20; // largest over smallest score that needs a logarithmic axis

enum { KEPT, REMOVED, PROTECTED };

static const char *name_end(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot : "";
}

int cli_plot_check(cli_session *session)
{
    const cli_settings *s = session->settings;

    if (s->plot == NULL)
        return DP_OK;
    if (strcasecmp(name_end(s->plot), ".svg") != 0 && strcasecmp(name_end(s->plot), ".png") != 0)
        return cli_usage(session, "--plot wants a name that ends in .svg or .png, not '%s'", s->plot);
    if (s->output && strcmp(s->output, s->plot) == 0)
        return cli_usage(session, "--output and --plot name the same file");
    return cli_output_check(session, s->plot);
}

static int kind_of(const dp_scores_info *scores, const dp_plan_info *plan, int32_t block)
{
    for (int32_t i = 0; plan && i < plan->n_removed; i++)
        if (plan->removed[i] == block)
            return REMOVED;
    return block < scores->protect_first || block >= scores->blocks - scores->protect_last ? PROTECTED : KEPT;
}

// In gnuplot's single quotes a quote is doubled; control bytes have no place in a title.
static void quote(FILE *script, const char *text)
{
    fputc('\'', script);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', script);
        fputc((unsigned char)*text < 32 || *text == 127 ? ' ' : *text, script);
    }
    fputc('\'', script);
}

static const char *axis_name(const char *criterion)
{
    if (strcmp(criterion, "ppl") == 0)
        return "perplexity without the block";
    if (strcmp(criterion, "bi") == 0)
        return "block influence";
    return strncmp(criterion, "mag", 3) == 0 ? "magnitude" : criterion;
}

// Ticks at 1, 2 and 5 of each power of ten, as far as the axis spans few enough.
static void write_log_axis(FILE *script, double least, double most)
{
    static const double steps[] = {1, 2, 5};
    const int all = log10(most / least) < 3;
    const char *comma = "set ytics (";

    fprintf(script, "set logscale y\nset yrange [%.9g:%.9g]\n", least, most);
    for (int power = (int)floor(log10(least)); power <= (int)log10(most) + 1; power++) {
        for (int i = 0; i < (all ? 3 : 1); i++) {
            const double tick = steps[i] * pow(10, power);
            if (tick < least || tick > most)
                continue;
            fprintf(script, "%s'%.9g' %.9g", comma, tick, tick);
            comma = ", ";
        }
    }
    fputs(*comma == ',' ? ")\n" : "", script);
}

static void write_range(FILE *script, const dp_scores_info *scores)
{
    double least = isfinite(scores->dense) ? scores->dense : scores->scores[0], most = least;

    for (int32_t i = 0; i < scores->blocks; i++) {
        least = fmin(least, scores->scores[i]);
        most = fmax(most, scores->scores[i]);
    }
    if (least > 0 && most / least > LOG_FROM)
        write_log_axis(script, least / 1.25, most * 1.4);
    else if (least >= 0)
        fprintf(script, "set yrange [0:%.9g]\n", most > 0 ? most * 1.06 : 1);
}

static void write_style(FILE *script, const cli_session *session, const dp_scores_info *scores)
{
    const int png = strcasecmp(name_end(session->settings->plot), ".png") == 0;
    const char *path = session->settings->operands.items[0], *slash = strrchr(path, '/');
    const int step = scores->blocks > 60 ? 10 : scores->blocks > 40 ? 5 : scores->blocks > 20 ? 2 : 1;

    fputs(png ? "set terminal pngcairo size 1000,480 noenhanced font 'Sans,11' background '#ffffff'\n"
              : "set terminal svg size 1000,480 noenhanced font 'Helvetica,Arial,sans-serif,14' background "
                "'#ffffff'\n",
          script);
    fputs("set label 1 ", script);
    quote(script, slash && slash[1] ? slash + 1 : path);
    fputs(" at graph 0, graph 1.07 left font ',14'\nset xlabel 'block'\nset ylabel ", script);
    quote(script, axis_name(scores->criterion));
    fprintf(script, "\nset xrange [-0.8:%.1f]\nset xtics 0,%d nomirror out scale 0.5\n", scores->blocks - 0.2,
            step);
    fputs("set ytics nomirror out scale 0.5\nset border 3 lc rgb '#555555'\nset grid ytics lc rgb '#dddddd' lt 1\n"
          "set boxwidth 0.72\nset style fill solid noborder\nset tmargin 3.2\nset rmargin 2\n"
          "set key at graph 1, graph 1.09 right top horizontal samplen 2 width 1\n",
          script);
    write_range(script, scores);
}

static void write_bars(FILE *script, const dp_scores_info *scores, const int *present)
{
    static const char *const names[] = {"kept", "removed", "protected"};
    static const char *const colours[] = {"#4c78a8", "#e45756", "#b8b0ac"};
    const char *comma = "plot ";

    for (int kind = KEPT; kind <= PROTECTED; kind++) {
        if (!present[kind])
            continue;
        fprintf(script, "%s$scores using 1:($3 == %d ? $2 : NaN) with boxes lc rgb '%s' title '%s'", comma, kind,
                colours[kind], present[REMOVED] || kind != KEPT ? names[kind] : "block");
        comma = ", ";
    }
    if (isfinite(scores->dense))
        fprintf(script, ", %.17g with lines lw 2 dt (6,4) lc rgb '#222222' title 'whole model %.4g'", scores->dense,
                scores->dense);
    fputc('\n', script);
}

static char *write_script(cli_session *session, const dp_scores_info *scores, const dp_plan_info *plan,
                          size_t *size)
{
    char *text = NULL;
    int present[3] = {0};
    FILE *script = open_memstream(&text, size);

    if (script == NULL)
        return NULL;
    write_style(script, session, scores);
    fputs("$scores << END\n", script);
    for (int32_t i = 0; i < scores->blocks; i++) {
        const int kind = kind_of(scores, plan, i);
        present[kind] = 1;
        fprintf(script, "%d %.17g %d\n", i, scores->scores[i], kind);
    }
    fputs("END\n", script);
    write_bars(script, scores, present);
    return fclose(script) == 0 ? text : NULL;
}

// Run gnuplot with `input` as its standard input and `output` as its output; 0, or an errno.
static int spawn(pid_t *pid, int input, int output)
{
    char name[] = "gnuplot", dash[] = "-";
    char *const arguments[] = {name, dash, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawnp(pid, name, &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static int run_gnuplot(const char *script, size_t size, int output)
{
    int ends[2], status = 0;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC))
        return errno;
    const int failed = spawn(&pid, ends[0], output);
    close(ends[0]);
    while (!failed && size > 0) {
        const ssize_t n = write(ends[1], script, size);
        if (n < 0 && errno != EINTR)
            break;
        script += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    close(ends[1]);
    if (failed)
        return failed;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}

// gnuplot does not say that the disk is full: a whole picture has its last bytes.
static int is_whole(int fd)
{
    char end[16] = "";
    struct stat status;

    if (fstat(fd, &status) || status.st_size < (off_t)sizeof end ||
        pread(fd, end, sizeof end, status.st_size - (off_t)sizeof end) != (ssize_t)sizeof end)
        return 0;
    return memmem(end, sizeof end, "</svg>", 6) != NULL || memmem(end, sizeof end, "IEND", 4) != NULL;
}

static int without_chart(cli_session *session, int failed)
{
    const cli_settings *s = session->settings;
    const char *why = failed == ENOENT ? "needs gnuplot, which is not installed (Debian package gnuplot-nox)"
                                       : "could not be drawn: gnuplot failed, or the disk is full";

    if (s->output == NULL && !s->json)
        return cli_fail(session, DP_E_IO, (cli_place){.file = s->plot}, "the chart %s", why);
    cli_note(session, "the chart %s; everything else is done", why);
    return DP_OK;
}

int cli_plot_scores(cli_session *session, const dp_scores_info *scores, const dp_plan_info *plan)
{
    cli_output output;
    size_t size = 0;
    char *script = write_script(session, scores, plan, &size);

    if (script == NULL)
        return cli_fail(session, DP_E_MEMORY, (cli_place){0}, "out of memory");
    int rc = cli_output_open(session, session->settings->plot, &output);
    if (rc == DP_OK) {
        int failed = run_gnuplot(script, size, output.fd);
        if (!failed && !is_whole(output.fd))
            failed = EIO;
        if (failed)
            cli_output_abandon(&output);
        rc = failed ? without_chart(session, failed) : cli_output_commit(session, &output);
    }
    free(script);
    return rc;
}
