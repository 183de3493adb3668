# src/base/utf8.c
s/if (!length || length > size)/if (!length)/
