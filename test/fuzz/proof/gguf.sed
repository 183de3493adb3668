# src/io/gguf_parse.c
s/if (\*size > cursor->size - cursor->at)/if (*size > INT32_MAX)/
