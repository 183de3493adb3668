// The fingerprint of a run: everything that two runs must share for their results to be comparable.
#ifndef CLI_PROTOCOL_H
#define CLI_PROTOCOL_H

#include "cli/session.h"

// Add a member; takes `value`.  A NULL value (memory was short) is noticed by cli_protocol_finish.
void cli_protocol_set(cli_session *session, const char *key, json_t *value);
int cli_protocol_model(cli_session *session);      // path, shape and content hash: reads the whole model once
void cli_protocol_tokenizer(cli_session *session); // digest and kind; null without a tokenizer
void cli_protocol_calib(cli_session *session, const dp_calib *calib);
int cli_protocol_finish(cli_session *session); // library, device, seconds

#endif
