# src/model/load_shards.c
/if (!found)/,/return stranger/d
