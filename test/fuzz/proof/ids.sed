# src/cli/ids.c
s/value < 0 || value > INT32_MAX/value < 0/
