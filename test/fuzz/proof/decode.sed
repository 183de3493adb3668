# src/text/decode.c
s/if (ids\[i\] < 0 || ids\[i\] >= tokenizer->vocab.count)/if (ids[i] < 0)/
