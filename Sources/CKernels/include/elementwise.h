#pragma once
// Epilogue of a matrix product that another library computed:  C = activation(C + bias) + residual

#include <stddef.h>
#include <stdint.h>

typedef struct cetnet_epilogue {
    /// rows × columns, changed in place.
    float *c;
    ptrdiff_t c_stride;
    ptrdiff_t rows;
    ptrdiff_t columns;
    /// `columns` values, or NULL.
    const float *bias;
    /// CETNET_ACTIVATION_… of gemm.h.
    int32_t activation;
    /// If not NULL: rows × columns.
    const float *residual;
    ptrdiff_t residual_stride;
} cetnet_epilogue;
