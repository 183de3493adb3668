// The network's own memory, shared by network.c, block.c and head.c.
#ifndef DPI_NN_INSIDE_H
#define DPI_NN_INSIDE_H

#include "nn/network.h"
#include "nn/weights.h"

struct dpi_network {
    dp_context *context; // one reference
    dp_model *model;     // one reference
    dpi_device *device;
    dpi_weights *weights;
    float *work;        // device memory: normed | mixed | inner | losses, see place in network.c
    float *logits;      // device memory for a few rows of logits; NULL until needed, or never
    int64_t rows;       // capacity
    int32_t *positions; // of every row, for sequences of `length`
    int64_t length;
    float *frequencies; // rope's
};

// Working memory of a call.  k, v and y (attention) are done with before inner (MLP) is written; q is done with
// before delta is.
typedef struct dpi_activations {
    dp_mat normed, q, k, v, y, delta, inner, losses;
} dpi_activations;

// Where activations of `rows` rows lie; DP_E_INTERNAL when the network was opened for fewer.
int dpi_network_place(const dpi_network *network, int64_t rows, dpi_activations *out, dp_error *error);

#endif
