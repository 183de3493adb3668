# src/text/spaces.c
s/ && at\[1\] ? 2 : 1/ ? 2 : 1/
