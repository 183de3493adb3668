# src/io/json.c
s/if (number < least || number > most)/if (number < least)/
