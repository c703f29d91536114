#pragma once
// Operations on each element.

#include <stddef.h>
#include <stdint.h>

#include "activation.h"

/// Epilogue of a matrix product that another library computed:  C = activation(C + bias) + residual
typedef struct cetnet_epilogue {
    /// rows × columns, changed in place.
    float *c;
    ptrdiff_t c_stride;
    ptrdiff_t rows;
    ptrdiff_t columns;
    /// `columns` values, or NULL.
    const float *bias;
    /// CETNET_ACTIVATION_….
    int32_t activation;
    /// If not NULL: rows × columns, added after the activation, or before it if `residual_first`.
    const float *residual;
    ptrdiff_t residual_stride;
    int32_t residual_first;
} cetnet_epilogue;

/// y = activation(x · scale + residual)
typedef struct cetnet_pointwise {
    /// rows × columns.
    const float *x;
    ptrdiff_t x_stride;
    ptrdiff_t rows;
    ptrdiff_t columns;
    /// `columns` factors, the same for every row, or NULL for 1.
    const float *scale;
    /// rows × columns, or NULL for 0.
    const float *residual;
    ptrdiff_t residual_stride;
    /// CETNET_ACTIVATION_….
    int32_t activation;
    /// rows × columns; may be the same memory as `x` or `residual`.
    float *y;
    ptrdiff_t y_stride;
} cetnet_pointwise;
