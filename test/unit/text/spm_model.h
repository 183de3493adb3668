// A SentencePiece model made on the spot.
#ifndef TEST_TEXT_SPM_MODEL_H
#define TEST_TEXT_SPM_MODEL_H

#include "support.h"

typedef struct piece {
    const char *text;
    float score;
    int kind;
} piece;

// What a model says besides its pieces; fields that are -1 are left out.
typedef struct settings {
    int64_t type, fallback, prefix, squeeze;
} settings;
static const settings llama = {2, 1, 1, 0};

static inline void put_pieces(dpi_text *out, const piece *pieces, size_t count)
{
    dpi_text one = {.memory = out->memory};

    for (size_t i = 0; i < count; i++) {
        one.size = 0;
        dpi_wire_put_bytes(&one, 1, pieces[i].text, strlen(pieces[i].text), NULL);
        dpi_wire_put_float(&one, 2, pieces[i].score, NULL);
        dpi_wire_put_number(&one, 3, (uint64_t)pieces[i].kind, NULL);
        dpi_wire_put_bytes(out, 1, one.data, one.size, NULL);
    }
    dpi_text_clear(&one);
}

static inline void put_settings(dpi_text *out, const settings *s)
{
    dpi_text trainer = {.memory = out->memory}, normalizer = {.memory = out->memory};

    dpi_wire_put_number(&trainer, 3, (uint64_t)s->type, NULL);
    dpi_wire_put_number(&trainer, 35, (uint64_t)s->fallback, NULL);
    dpi_wire_put_bytes(&normalizer, 1, "identity", 8, NULL);
    if (s->prefix >= 0)
        dpi_wire_put_number(&normalizer, 3, (uint64_t)s->prefix, NULL);
    if (s->squeeze >= 0)
        dpi_wire_put_number(&normalizer, 4, (uint64_t)s->squeeze, NULL);
    dpi_wire_put_bytes(out, 2, trainer.data, trainer.size, NULL);
    dpi_wire_put_bytes(out, 3, normalizer.data, normalizer.size, NULL);
    dpi_text_clear(&trainer);
    dpi_text_clear(&normalizer);
}

// <unk> 0, <s> 1, </s> 2, bytes 3 to 258, then the pieces given.
static inline int open_model(dp_context *context, const piece *more, size_t count, const settings *s,
                             dp_tokenizer **out, dp_error *error)
{
    static const piece specials[] = {
        {"<unk>", 0, DPI_TOKEN_UNKNOWN}, {"<s>", 0, DPI_TOKEN_CONTROL}, {"</s>", 0, DPI_TOKEN_CONTROL}};
    dpi_text model = {.memory = &context->memory};
    char text[8];

    put_pieces(&model, specials, 3);
    for (int byte = 0; byte < 256; byte++) {
        snprintf(text, sizeof text, "<0x%02X>", byte);
        put_pieces(&model, &(piece){text, 0, DPI_TOKEN_BYTE}, 1);
    }
    put_pieces(&model, more, count);
    put_settings(&model, s);
    write_file(scratch("tokenizer.model"), model.data, model.size);
    dpi_text_clear(&model);
    return dp_tokenizer_open(context, scratch("tokenizer.model"), out, error);
}

#endif
