// The members of a JSON object as ranges of its text, so that a document can be changed without rewriting the rest.
// The text was parsed before: only well-formed documents come here.
#ifndef DPI_MODEL_MEMBERS_H
#define DPI_MODEL_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct dpi_member {
    const char *key; // as written, escapes and all; NULL in an array
    size_t key_size;
    size_t begin, end; // the value's bytes
} dpi_member;

// The next member of the object, or element of the array, whose '{' or '[' stands at `open`.  *cursor starts as 0.
// Returns 0 when there is none left; then *cursor is the position of the closing bracket.
int dpi_member_next(const char *text, size_t size, size_t open, size_t *cursor, dpi_member *member);
// The 1-based line on which the key of the root object stands, or 0.
int32_t dpi_member_line(const char *text, size_t size, const char *key);

#endif
