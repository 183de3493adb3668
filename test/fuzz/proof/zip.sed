# src/io/zip.c
s/ || at > r->directory - LOCAL//
