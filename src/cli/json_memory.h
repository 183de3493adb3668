// jansson goes on without what it has no memory for: a document lacks a member then.  The program remembers it.
#ifndef CLI_JSON_MEMORY_H
#define CLI_JSON_MEMORY_H

void cli_json_memory_install(void);
int cli_json_memory_was_short(void);
void cli_json_memory_is_short(void); // remember it for something else that is printed

#endif
