#pragma once
// Matrix products in bfloat16 and int8, on packed panels as in gemm.h:  C = epilogue(A · Bᵀ + bias)
//
// Rows of A and panels of B consist of words of 32 bits, a word being a step of depth. `gemm_bfloat16` and `gemm_int8`
// take a cetnet_gemm whose `depth` and strides count words; in all else they are `gemm`.
//
//   bfloat16  two elements a word. A panel is a row of float32 biases and the rows of words. Every sum starts with the
//             bias; of each word the odd element's product is added first, then the even one's, each by a fused
//             multiply-add. Denormal operands are zeros, and so may denormal sums be.
//   int8      four elements a word. Activations are stored as q + 128 (1 … 255), each row followed by its scale, a
//             float32; weights as q (−127 … 127). A panel is a row of int32, −128 · Σ q over each column, then float32
//             scales and biases, then the rows of words. Sums are int32 and exact (depths up to 2^16 cannot overflow):
//
//                 C = float32(Σ qA · qB) · row scale · column scale + bias
//
// A scale is the largest magnitude of the row of A, or row of B, divided by 127; q = round(x · (127 / largest)), ties to
// even. A row whose largest magnitude is below 2^-100 is zero, with scale 0; one that holds NaN or infinity has scale
// NaN, so that all that comes of it is NaN.
//
// Kernels ending in `_widened` compute the same without the processor's own instructions for it; the others do so where
// there are none. Bits of bfloat16 products and int8's sums are the same on every tier.

#include <stddef.h>

/// Rows of activations to operands.
typedef struct cetnet_convert {
    /// rows × depth.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t rows;
    ptrdiff_t depth;
    /// rows × words, in int8 each row with its scale behind; `y_stride` counts words. Elements past the depth are zero.
    float *y;
    ptrdiff_t y_stride;
} cetnet_convert;

enum {
    CETNET_BFLOAT16_PER_WORD = 2,
    CETNET_INT8_PER_WORD = 4,
    /// Rows of a panel in front of its weights.
    CETNET_BFLOAT16_HEADER = 1,
    CETNET_INT8_HEADER = 3,
};
