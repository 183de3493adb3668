# src/prune/scores.c
s/if (count != (size_t)scores->blocks)/if (!count)/
