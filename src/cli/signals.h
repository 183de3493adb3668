// Ctrl-C and friends: the first asks the library to stop, the second ends the program at once.
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdint.h>

void cli_signals_install(void);
const int32_t *cli_signals_flag(void); // nonzero once a stop was asked for
int cli_signals_status(void);          // how a program ends that was stopped: 130 (SIGINT) or 143 (SIGTERM)

#endif
