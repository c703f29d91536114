// Depthwise convolution; contract in ../include/depthwise.h.
//
// An output row is computed some columns at a time, and for each of these groups all channels in order, so that every
// input is read as a few long streams. Four columns at once share their inputs where no tap leaves the map; columns at
// the edges are computed alone, with the taps that are inside.

typedef struct depthwise_row {
    const float *x;        // first filter row inside of the map, at column 0
    ptrdiff_t x_stride;    // floats from one position of the map to the next
    ptrdiff_t row_stride;  // floats from one row of the map to the next
    const float *weights;  // first filter row inside of the map
    const float *bias;
    ptrdiff_t filter_rows; // filter rows inside of the map
    ptrdiff_t channels;
    ptrdiff_t kernel;
} depthwise_row;

/// One output column whose receptive field has `rows` × `columns` taps inside of the map. `x` and `weights` point to
/// the first of them; `rows` and `columns` may be constants after inlining.
CETNET_INLINE void depthwise_column(
    const depthwise_row *r, const int32_t activation, const ptrdiff_t rows, const ptrdiff_t columns, const float *x,
    const float *weights, float *y) {
    for (ptrdiff_t c = 0; c < r->channels; c += LANES) {
        const ptrdiff_t count = r->channels - c;
        if (count >= LANES) {
            vfloat sum = load(r->bias + c);
            for (ptrdiff_t i = 0; i < rows; i++) {
                for (ptrdiff_t j = 0; j < columns; j++) {
                    sum = load(x + i * r->row_stride + j * r->x_stride + c)
                            * load(weights + (i * r->kernel + j) * r->channels + c)
                        + sum;
                }
            }
            store(y + c, activate(activation, sum));
        } else {
            vfloat sum = load_first(r->bias + c, count);
            for (ptrdiff_t i = 0; i < rows; i++) {
                for (ptrdiff_t j = 0; j < columns; j++) {
                    sum = load_first(x + i * r->row_stride + j * r->x_stride + c, count)
                            * load_first(weights + (i * r->kernel + j) * r->channels + c, count)
                        + sum;
                }
            }
            store_first(y + c, activate(activation, sum), count);
        }
    }
}

/// depthwise_column for the few shapes that edges of a 3×3 filter have, unrolled.
CETNET_INLINE void depthwise_edge(
    const depthwise_row *r, const int32_t activation, ptrdiff_t columns, const float *x, const float *weights,
    float *y) {
    if (r->filter_rows == 3 && columns == 2) {
        depthwise_column(r, activation, 3, 2, x, weights, y);
    } else if (r->filter_rows == 3 && columns == 3) {
        depthwise_column(r, activation, 3, 3, x, weights, y);
    } else if (r->filter_rows == 2 && columns == 2) {
        depthwise_column(r, activation, 2, 2, x, weights, y);
    } else {
        depthwise_column(r, activation, r->filter_rows, columns, x, weights, y);
    }
}

enum { DEPTHWISE_COLUMNS = 4 };

/// DEPTHWISE_COLUMNS neighbouring outputs of a 3×3 filter with all columns inside; `rows` and `stride` are constants
/// after inlining. The order of additions is that of depthwise_column.
CETNET_INLINE void depthwise_columns(
    const depthwise_row *r, const int32_t activation, const int rows, const int stride, const float *x, float *y,
    const ptrdiff_t y_stride) {
    const ptrdiff_t channels = r->channels;
    const ptrdiff_t x_stride = r->x_stride;
    for (ptrdiff_t c = 0; c + LANES <= channels; c += LANES) {
        vfloat sums[DEPTHWISE_COLUMNS];
        CETNET_UNROLL
        for (int o = 0; o < DEPTHWISE_COLUMNS; o++) sums[o] = load(r->bias + c);
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            vfloat in[2 * (DEPTHWISE_COLUMNS - 1) + 3];
            CETNET_UNROLL
            for (int j = 0; j < stride * (DEPTHWISE_COLUMNS - 1) + 3; j++) {
                in[j] = load(x + i * r->row_stride + j * x_stride + c);
            }
            CETNET_UNROLL
            for (int j = 0; j < 3; j++) {
                vfloat w = load(r->weights + (i * 3 + j) * channels + c);
                CETNET_UNROLL
                for (int o = 0; o < DEPTHWISE_COLUMNS; o++) sums[o] = in[o * stride + j] * w + sums[o];
            }
        }
        CETNET_UNROLL
        for (int o = 0; o < DEPTHWISE_COLUMNS; o++) store(y + o * y_stride + c, activate(activation, sums[o]));
    }
}

/// `stride` is a constant after inlining where there is a `fast` way: 1 and 2.
CETNET_INLINE void depthwise_rows(
    const int32_t activation, const cetnet_depthwise *d, const ptrdiff_t stride, const int may_be_fast) {
    // Whole vectors take the fast way; channels left over are rare and take the other.
    const int fast = may_be_fast && d->kernel == 3 && d->channels % LANES == 0;
    for (ptrdiff_t row = d->first_row; row < d->end_row; row++) {
        const ptrdiff_t start = row * stride - d->padding;
        const ptrdiff_t from = start < 0 ? -start : 0;
        const ptrdiff_t to = start + d->kernel > d->height ? d->height - start : d->kernel;
        depthwise_row r = {
            .x = d->x + (start + from) * d->width * d->x_stride,
            .x_stride = d->x_stride,
            .row_stride = d->width * d->x_stride,
            .weights = d->weights + from * d->kernel * d->channels,
            .bias = d->bias,
            .filter_rows = to - from,
            .channels = d->channels,
            .kernel = d->kernel,
        };
        float *y = d->y + row * d->output_width * d->y_stride;
        ptrdiff_t column = 0;
        while (column < d->output_width) {
            const ptrdiff_t left = column * stride - d->padding;
            const ptrdiff_t right = left + stride * (DEPTHWISE_COLUMNS - 1) + 3;
            if (fast && left >= 0 && right <= d->width && column + DEPTHWISE_COLUMNS <= d->output_width) {
                const float *x = r.x + left * d->x_stride;
                float *out = y + column * d->y_stride;
                const int step = stride == 1 ? 1 : 2;
                switch (r.filter_rows) {
                case 3: depthwise_columns(&r, activation, 3, step, x, out, d->y_stride); break;
                case 2: depthwise_columns(&r, activation, 2, step, x, out, d->y_stride); break;
                default: depthwise_columns(&r, activation, 1, step, x, out, d->y_stride); break;
                }
                column += DEPTHWISE_COLUMNS;
            } else {
                const ptrdiff_t first = left < 0 ? -left : 0;
                const ptrdiff_t end = left + d->kernel > d->width ? d->width - left : d->kernel;
                depthwise_edge(
                    &r, activation, end - first, r.x + (left + first) * d->x_stride, r.weights + first * d->channels,
                    y + column * d->y_stride);
                column += 1;
            }
        }
    }
}

CETNET_INLINE void depthwise_strides(const int32_t activation, const cetnet_depthwise *d) {
    switch (d->stride) {
    case 1: depthwise_rows(activation, d, 1, 1); break;
    case 2: depthwise_rows(activation, d, 2, 1); break;
    default: depthwise_rows(activation, d, d->stride, 0); break;
    }
}

static void depthwise(const cetnet_depthwise *d) { CETNET_WITH_ACTIVATION(d->activation, depthwise_strides, d) }
