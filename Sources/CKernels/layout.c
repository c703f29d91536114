#include "include/layout.h"

void cetnet_planes_to_positions(
    const float *x, ptrdiff_t planes, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t count, float *y) {
    for (ptrdiff_t p = first; p < first + count; p++) {
        for (ptrdiff_t c = 0; c < channels; c++) y[p * channels + c] = x[c * planes + p];
    }
}

void cetnet_positions_to_planes(
    const float *x, ptrdiff_t x_stride, ptrdiff_t planes, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t count,
    float *y) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        for (ptrdiff_t p = first; p < first + count; p++) y[c * planes + p] = x[p * x_stride + c];
    }
}
