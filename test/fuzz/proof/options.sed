# src/cli/value.c
s/last < first || last >= MOST_BLOCKS ||/last < first ||/
