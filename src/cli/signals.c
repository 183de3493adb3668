// SIGINT, SIGTERM: first sets the cancel flag of every monitor, second ends the process with status 130.
// SIGPIPE and SIGXFSZ are ignored: the write that fails says so.
#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int32_t stop_asked;

static void stop(int signal_number)
{
    (void)signal_number;
    if (__atomic_exchange_n(&stop_asked, 1, __ATOMIC_SEQ_CST))
        _exit(130);
}

void cli_signals_install(void)
{
    struct sigaction action = {.sa_handler = stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

const int32_t *cli_signals_flag(void)
{
    return &stop_asked;
}
