# src/text/load_config.c
s/if (id < 0 || id >= vocab->count)/if (id >= vocab->count)/
