#pragma once
// Convolutions with 3×3 filters, stride 1 and one position of zero padding by Winograd's F(2×2, 3×3), as in Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308):
//
//   Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A
//
//        1  0 −1  0         1    0    0
//   Bᵀ = 0  1  1  0     G = 1/2  1/2  1/2     Aᵀ = 1  1  1  0
//        0 −1  1  0         1/2 −1/2  1/2          0  1 −1 −1
//        0  1  0 −1         0    0    1
//
// d is a tile of 4×4 input positions, Y the 2×2 output positions in its middle, g a filter: 16 products make four
// outputs instead of 36. With channels the 16 elementwise products are 16 matrix products, tiles × channels each.
// Tiles lie side by side from the map's first position on; the last ones reach beyond maps of odd sides.

#include <stddef.h>
#include <stdint.h>

#include "activation.h"

/// Bᵀ d B for a rectangle of tiles.
typedef struct cetnet_winograd_input {
    /// height × width × channels, positions `x_stride` apart; zeros outside.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t height;
    ptrdiff_t width;
    ptrdiff_t channels;
    /// The rectangle, in tiles.
    ptrdiff_t first_row;
    ptrdiff_t rows;
    ptrdiff_t first_column;
    ptrdiff_t columns;
    /// 16 matrices `matrix_stride` floats apart, each (rows · columns) × channels with rows `y_stride` apart.
    float *y;
    ptrdiff_t y_stride;
    ptrdiff_t matrix_stride;
} cetnet_winograd_input;

/// epilogue(Aᵀ m A + bias) for a rectangle of tiles.
typedef struct cetnet_winograd_output {
    /// 16 matrices `matrix_stride` floats apart, each tiles × channels with rows `x_stride` apart. The tiles are those of
    /// the outputs, ⌈rows / 2⌉ × ⌈columns / 2⌉.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t matrix_stride;
    ptrdiff_t channels;
    /// Outputs of the rectangle.
    ptrdiff_t rows;
    ptrdiff_t columns;
    const float *bias;
    /// CETNET_ACTIVATION_….
    int32_t activation;
    /// If not NULL: rows × columns positions, added after the activation, or before it if `residual_first`. May be the
    /// same memory as `y`.
    const float *residual;
    ptrdiff_t residual_stride;
    ptrdiff_t residual_row_stride;
    int32_t residual_first;
    /// rows × columns positions `y_stride` apart, rows `y_row_stride` apart.
    float *y;
    ptrdiff_t y_stride;
    ptrdiff_t y_row_stride;
} cetnet_winograd_output;
