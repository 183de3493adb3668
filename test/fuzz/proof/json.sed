# src/io/json.c
s/if (size >= 3 && memcmp/if (memcmp/
