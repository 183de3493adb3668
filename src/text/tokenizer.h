// The tokenizer's inside: vocabulary, rules of merging, and what happens to a text before and after.
#ifndef DPI_TEXT_TOKENIZER_H
#define DPI_TEXT_TOKENIZER_H

#include <depthprune/tokenizer.h>

#include "base/context.h"
#include "io/file.h"
#include "text/added.h"
#include "text/merger.h"
#include "text/splitter.h"

enum { DPI_SENTENCEPIECE, DPI_BYTE_LEVEL };

// SentencePiece's dummy prefix: a space in front of a segment.
enum {
    DPI_PREFIX_NEVER,
    DPI_PREFIX_ALWAYS,  // whatever the segment begins with
    DPI_PREFIX_MISSING, // where it does not begin with one (Metaspace "always")
    DPI_PREFIX_FIRST    // the same, only at the text's beginning (Metaspace "first")
};

#define DPI_SPACE "\xe2\x96\x81" // U+2581, SentencePiece's space
enum { DPI_SPACE_SIZE = 3 };

typedef struct dpi_added_token {
    int32_t id;
    uint32_t flags; // DPI_ADDED_*
    int32_t normalized;
} dpi_added_token;

struct dp_tokenizer {
    dp_context *context;
    dpi_memory *memory;
    char *name; // the file, for errors
    int32_t kind;
    dpi_vocab vocab;
    dpi_merges merges;           // none (memory NULL): pieces merge by score
    dpi_splitter splitter;       // byte-level
    dpi_added_token *added_list; // all tokens of the next two
    size_t added_count, added_capacity;
    dpi_added added;      // cut from the raw text
    dpi_added normalized; // cut from the normalised text
    dpi_added pieces;     // user-defined pieces of a SentencePiece model: taken whole, not cut out
    int32_t prefix;       // DPI_PREFIX_*
    int32_t composes;     // texts are brought to normalization form C first; byte-level only
    int32_t strips;       // decoding drops the first space
    int32_t late;         // spaces are dealt with after the second cut (Metaspace), not before it
    int32_t squeeze;      // leading, trailing and repeated spaces are dropped
    int32_t byte_fallback, fuse_unknown, ignore_merges;
    int32_t has_unused;    // SentencePiece by score: some pieces are taken apart again
    int32_t by_words;      // no piece has a space after another character, so words merge apart
    int32_t unknown;       // what unknown text becomes, or -1: it is dropped
    int32_t byte_ids[256]; // byte-level: of each byte's character; SentencePiece: of "<0xHH>"; -1: none
    int32_t bos, eos, unk, pad, adds_bos;
    char *chat_template; // NULL: none
    char digest[65];
};

// Loaders fill a zeroed tokenizer whose context, memory and name are set.  `name` stands in errors.
int dpi_tokenizer_from_json(dp_tokenizer *tokenizer, const char *bytes, size_t size, dp_error *error);
int dpi_tokenizer_from_spm(dp_tokenizer *tokenizer, const unsigned char *bytes, size_t size, dp_error *error);
int dpi_tokenizer_from_gguf(dp_tokenizer *tokenizer, dpi_storage *storage, dp_error *error);
// Ids, BOS rule, chat template and added tokens from the files beside (`folder`): tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and config.json, as far as they are there.
int dpi_tokenizer_configure(dp_tokenizer *tokenizer, const char *folder, dp_error *error);

// Have a token of the vocabulary cut out of texts: the raw text, or the normalised one.
int dpi_tokenizer_add(dp_tokenizer *tokenizer, int32_t id, unsigned flags, int normalized, dp_error *error);

// A failure in the middle of a file names the fact and the item; add the file.  Returns rc.
int dpi_tokenizer_blame(int rc, const char *path, dp_error *error);
// Keep a chat template; what is not UTF-8 in it becomes U+FFFD.
int dpi_tokenizer_keep_template(dp_tokenizer *tokenizer, const void *bytes, size_t size, dp_error *error);
// How an id was added, or NULL.
const dpi_added_token *dpi_tokenizer_added(const dp_tokenizer *tokenizer, int32_t id);

// A list of ids that grows.
typedef struct dpi_ids {
    int32_t *data;
    size_t count, capacity;
} dpi_ids;

int dpi_ids_add(dpi_memory *memory, dpi_ids *ids, int32_t id, dp_error *error);

// One call of encode.
typedef struct dpi_encoder {
    const dp_tokenizer *tokenizer;
    dpi_watch *watch; // NULL: none
    dpi_ids ids;
    int literal;       // special tokens are plain text
    int after_unknown; // the last id stands for unknown text
    dpi_merger merger;
    dpi_cutter cutter;
    dpi_text composed; // a segment in form C
    dpi_text normal;   // a segment after normalisation, or a word in stand-in characters
} dpi_encoder;

int dpi_encode_text(dpi_encoder *encoder, const char *text, size_t size, dp_error *error);
// A stretch without added tokens.
int dpi_encode_bytes(dpi_encoder *encoder, const char *text, size_t size, dp_error *error);  // byte-level
int dpi_encode_pieces(dpi_encoder *encoder, const char *text, size_t size, dp_error *error); // normalised
int dpi_normalise(const dp_tokenizer *tokenizer, const char *text, size_t size, int first, dpi_text *out,
                  dp_error *error);
// Valid UTF-8 with U+FFFD for each byte that is not part of a character.
int dpi_repair_utf8(const char *text, size_t size, dpi_text *out, dp_error *error);

int dpi_decode_ids(const dp_tokenizer *tokenizer, const int32_t *ids, size_t count, int special, dpi_text *out,
                   dp_error *error);

#endif
