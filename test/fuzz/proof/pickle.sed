# src/io/pickle.c
s/if (count > p->input->size - p->at)/if (count > INT32_MAX)/
