// SIGINT, SIGTERM: first sets the cancel flag of every monitor, second ends the process.
// SIGPIPE and SIGXFSZ are ignored: the write that fails says so.
#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static int32_t stop_asked; // the signal's number

static void stop(int signal_number)
{
    if (__atomic_exchange_n(&stop_asked, signal_number, __ATOMIC_SEQ_CST))
        _exit(128 + signal_number);
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

int cli_signals_status(void)
{
    const int32_t number = __atomic_load_n(&stop_asked, __ATOMIC_SEQ_CST);

    return 128 + (number ? number : SIGINT);
}
