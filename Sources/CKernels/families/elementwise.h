// Operations on each element; contracts in ../include/elementwise.h.

/// One vector, or the `count` < LANES first elements of one.
CETNET_INLINE void pointwise_vector(
    const int32_t activation, const float *x, const float *scale, const float *residual, float *y,
    const ptrdiff_t count) {
    const int whole = count >= LANES;
    vfloat v = whole ? load(x) : load_first(x, count);
    if (scale) v *= whole ? load(scale) : load_first(scale, count);
    if (residual) v += whole ? load(residual) : load_first(residual, count);
    v = activate(activation, v);
    if (whole) {
        store(y, v);
    } else {
        store_first(y, v, count);
    }
}

CETNET_INLINE void pointwise_rows(const int32_t activation, const cetnet_pointwise *p) {
    for (ptrdiff_t row = 0; row < p->rows; row++) {
        const float *x = p->x + row * p->x_stride;
        const float *residual = p->residual ? p->residual + row * p->residual_stride : 0;
        float *y = p->y + row * p->y_stride;
        ptrdiff_t c = 0;
        for (; c + LANES <= p->columns; c += LANES) {
            pointwise_vector(activation, x + c, p->scale ? p->scale + c : 0, residual ? residual + c : 0, y + c, LANES);
        }
        if (c < p->columns) {
            pointwise_vector(
                activation, x + c, p->scale ? p->scale + c : 0, residual ? residual + c : 0, y + c, p->columns - c);
        }
    }
}

static void pointwise(const cetnet_pointwise *p) { CETNET_WITH_ACTIVATION(p->activation, pointwise_rows, p) }
