# src/data/corpus.c
s/end + 1 < size \&\& bytes\[end + 1\]/back \&\& bytes[end + 1]/
