// PCRE2 counts U+180E as white space, Unicode and Hugging Face's tokenizers do not.  So \s and \S of a split
// pattern are spelled out before it is compiled.
#include <string.h>

#include "base/error.h"
#include "text/splitter.h"

static const char SPACES[] =
    "\\t-\\r\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

static int add(dpi_text *out, const char *text, dp_error *error)
{
    return dpi_text_add(out, text, strlen(text), error);
}

// \s or \S at `at`, inside a class or outside.  Nothing is done inside a class for what cannot be said there.
static int add_spaces(dpi_text *out, const char *at, int in_class, dp_error *error)
{
    int rc = DP_OK;

    if (in_class)
        return at[1] == 's' && at[2] != '-' ? add(out, SPACES, error) : dpi_text_add(out, at, 2, error);
    rc = add(out, at[1] == 's' ? "[" : "[^", error);
    if (!rc)
        rc = add(out, SPACES, error);
    return rc ? rc : add(out, "]", error);
}

// Where the first member of the class that begins at `at` may end: a ']' before it is a member itself.
static const char *class_start(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    return *at == ']' ? at + 1 : at;
}

// The class that is open after the character or escape of `size` bytes at `at`.
static const char *class_after(const char *at, size_t size, const char *members)
{
    if (size == 1 && *at == '[' && !members)
        return class_start(at);
    return size == 1 && *at == ']' && members && at >= members ? NULL : members;
}

int dpi_spell_spaces(const char *pattern, dpi_text *out, dp_error *error)
{
    const char *members = NULL; // of the class that is open, if one is
    int rc = DP_OK;

    if (strstr(pattern, "[:")) // a class in a class: left as it is
        return add(out, pattern, error);
    for (const char *at = pattern; !rc && *at;) {
        const size_t size = *at == '\\' && at[1] ? 2 : 1;
        if (size == 2 && (at[1] == 's' || at[1] == 'S')) {
            rc = add_spaces(out, at, members != NULL, error);
        } else {
            members = class_after(at, size, members);
            rc = dpi_text_add(out, at, size, error);
        }
        at += size;
    }
    return rc;
}
