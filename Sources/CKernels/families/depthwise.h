// Depthwise convolution; contract in ../include/depthwise.h.
//
// For one vector of channels the filter's taps stay in registers (3×3) while the output row is walked from left to
// right, four columns at a time where no tap leaves the map.

typedef struct depthwise_row {
    const float *x;        // first filter row inside the map, at column 0
    ptrdiff_t row_stride;  // floats from one row of the map to the next
    const float *weights;  // first filter row inside the map
    ptrdiff_t filter_rows; // filter rows inside the map
    ptrdiff_t channels;
    ptrdiff_t kernel;
} depthwise_row;

/// Output column whose receptive field starts at map column `column`, of which the filter columns [from, to) are inside.
CETNET_INLINE vfloat depthwise_point(
    const depthwise_row *r, vfloat bias, ptrdiff_t column, ptrdiff_t from, ptrdiff_t to, ptrdiff_t count) {
    vfloat sum = bias;
    for (ptrdiff_t i = 0; i < r->filter_rows; i++) {
        for (ptrdiff_t j = from; j < to; j++) {
            const float *x = r->x + i * r->row_stride + (column + j) * r->channels;
            const float *w = r->weights + (i * r->kernel + j) * r->channels;
            vfloat xv = count >= LANES ? load(x) : load_first(x, count);
            vfloat wv = count >= LANES ? load(w) : load_first(w, count);
            sum = xv * wv + sum;
        }
    }
    return sum;
}

enum { DEPTHWISE_COLUMNS = 4 };

/// DEPTHWISE_COLUMNS neighbouring outputs of a 3×3 filter with all taps inside; `stride` and `filter_rows` are
/// constants after inlining. Same order of additions as depthwise_point.
CETNET_INLINE void depthwise_columns(
    const depthwise_row *r, const int filter_rows, const int stride, vfloat bias, const float *x, vfloat sums[]) {
    CETNET_UNROLL
    for (int c = 0; c < DEPTHWISE_COLUMNS; c++) sums[c] = bias;
    CETNET_UNROLL
    for (int i = 0; i < filter_rows; i++) {
        vfloat in[2 * (DEPTHWISE_COLUMNS - 1) + 3];
        CETNET_UNROLL
        for (int j = 0; j < stride * (DEPTHWISE_COLUMNS - 1) + 3; j++) {
            in[j] = load(x + i * r->row_stride + j * r->channels);
        }
        CETNET_UNROLL
        for (int j = 0; j < 3; j++) {
            vfloat w = load(r->weights + (i * 3 + j) * r->channels);
            CETNET_UNROLL
            for (int c = 0; c < DEPTHWISE_COLUMNS; c++) sums[c] = in[c * stride + j] * w + sums[c];
        }
    }
}

CETNET_INLINE void depthwise_channels(
    const cetnet_depthwise *d, const depthwise_row *full_row, const int32_t activation, const int stride, float *y,
    ptrdiff_t channel, ptrdiff_t count) {
    depthwise_row r = *full_row;
    r.x += channel;
    r.weights += channel;
    y += channel;
    const vfloat bias = count >= LANES ? load(d->bias + channel) : load_first(d->bias + channel, count);
    ptrdiff_t column = 0;
    while (column < d->output_width) {
        const ptrdiff_t start = column * stride - d->padding;
        const ptrdiff_t end = start + stride * (DEPTHWISE_COLUMNS - 1) + 3;
        const int inside = start >= 0 && end <= d->width && column + DEPTHWISE_COLUMNS <= d->output_width;
        if (d->kernel == 3 && count >= LANES && inside) {
            vfloat sums[DEPTHWISE_COLUMNS];
            const float *x = r.x + start * r.channels;
            switch (r.filter_rows) {
            case 3: depthwise_columns(&r, 3, stride, bias, x, sums); break;
            case 2: depthwise_columns(&r, 2, stride, bias, x, sums); break;
            default: depthwise_columns(&r, 1, stride, bias, x, sums); break;
            }
            CETNET_UNROLL
            for (int c = 0; c < DEPTHWISE_COLUMNS; c++) {
                store(y + (column + c) * r.channels, activate(activation, sums[c]));
            }
            column += DEPTHWISE_COLUMNS;
        } else {
            const ptrdiff_t from = start < 0 ? -start : 0;
            const ptrdiff_t to = start + d->kernel > d->width ? d->width - start : d->kernel;
            vfloat v = activate(activation, depthwise_point(&r, bias, start, from, to, count));
            if (count >= LANES) {
                store(y + column * r.channels, v);
            } else {
                store_first(y + column * r.channels, v, count);
            }
            column += 1;
        }
    }
}

CETNET_INLINE void depthwise_rows(const cetnet_depthwise *d, const int32_t activation, const int stride) {
    for (ptrdiff_t row = d->first_row; row < d->end_row; row++) {
        const ptrdiff_t start = row * stride - d->padding;
        const ptrdiff_t from = start < 0 ? -start : 0;
        const ptrdiff_t to = start + d->kernel > d->height ? d->height - start : d->kernel;
        depthwise_row r = {
            .x = d->x + (start + from) * d->width * d->channels,
            .row_stride = d->width * d->channels,
            .weights = d->weights + from * d->kernel * d->channels,
            .filter_rows = to - from,
            .channels = d->channels,
            .kernel = d->kernel,
        };
        float *y = d->y + row * d->output_width * d->channels;
        for (ptrdiff_t c = 0; c < d->channels; c += LANES) {
            depthwise_channels(d, &r, activation, stride, y, c, d->channels - c);
        }
    }
}

CETNET_INLINE void depthwise_strides(const cetnet_depthwise *d, const int32_t activation) {
    switch (d->stride) {
    case 1: depthwise_rows(d, activation, 1); break;
    default: depthwise_rows(d, activation, 2); break;
    }
}

static void depthwise(const cetnet_depthwise *d) {
    switch (d->activation) {
    case CETNET_ACTIVATION_GELU: depthwise_strides(d, CETNET_ACTIVATION_GELU); break;
    case CETNET_ACTIVATION_QUICK_GELU: depthwise_strides(d, CETNET_ACTIVATION_QUICK_GELU); break;
    default: depthwise_strides(d, CETNET_ACTIVATION_NONE); break;
    }
}
