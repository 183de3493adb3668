# src/text/protobuf.c
s/if (size > (uint64_t)(wire->end - wire->at))/if (size > INT32_MAX)/
