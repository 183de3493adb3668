// Added tokens: texts that are cut out of the input before anything else, leftmost first, longest first.
#ifndef DPI_TEXT_ADDED_H
#define DPI_TEXT_ADDED_H

#include "base/text.h"

enum { DPI_ADDED_SPECIAL = 1, DPI_ADDED_LSTRIP = 2, DPI_ADDED_RSTRIP = 4, DPI_ADDED_WORD = 8 };
enum { DPI_ADDED_LONGEST = 1024 }; // bytes of an added token's text

typedef struct dpi_added_node {
    int32_t child, sibling; // 0: none (0 is the root)
    int32_t id;             // of the token that ends here, or -1
    unsigned char byte;
    unsigned char flags; // DPI_ADDED_*
} dpi_added_node;

typedef struct dpi_added {
    dpi_memory *memory;
    dpi_added_node *nodes;
    size_t count, capacity;
    int32_t first[256]; // children of the root by their byte
} dpi_added;

typedef struct dpi_match {
    size_t begin, end; // with the spaces that go with the token
    size_t next;       // where the token's own text ends: the search goes on here
    int32_t id;
} dpi_match;

// The set starts zeroed with its memory set.  Adding a text again replaces its id and flags.
int dpi_added_put(dpi_added *set, const char *text, size_t size, int32_t id, unsigned flags, dp_error *error);
void dpi_added_close(dpi_added *set);
// The longest token that begins exactly at `at`; 0 when there is none.
int dpi_added_at(const dpi_added *set, const char *text, size_t size, size_t at, dpi_match *match, unsigned *flags);
// The token after *match, which starts zeroed; specials are passed over when `literal`.  0 when there is none.
int dpi_added_next(const dpi_added *set, const char *text, size_t size, int literal, dpi_match *match);

#endif
