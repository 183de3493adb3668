# src/io/torch.c
s/ || count > (uint64_t)(from->elements - from->first))/)/
