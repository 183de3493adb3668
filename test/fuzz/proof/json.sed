# src/io/json.c
s/last - begin < room - 1 ? last - begin : room - 1/last - begin/
