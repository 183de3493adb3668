# src/io/safetensors.c
s/if (length > size - PREFIX)/if (length > MOST_HEADER)/
