// LayerNorm and softmax; contracts in ../include/normalization.h.

static void layer_norm(const cetnet_layer_norm *n) {
    const ptrdiff_t channels = n->channels, whole = channels / LANES * LANES, rest = channels - whole;
    const float scale = 1.0f / (float)channels;
    for (ptrdiff_t i = 0; i < n->rows; i++) {
        const float *x = n->x + i * n->x_stride;
        float *y = n->y + i * n->y_stride;
        vfloat sum = splat(0);
        for (ptrdiff_t c = 0; c < whole; c += LANES) sum += load(x + c);
        if (rest) sum += load_first(x + whole, rest);
        const float mean = sum_lanes(sum) * scale;
        vfloat squares = splat(0);
        for (ptrdiff_t c = 0; c < whole; c += LANES) {
            vfloat d = load(x + c) - splat(mean);
            squares = d * d + squares;
        }
        if (rest) {
            float tail[LANES] __attribute__((aligned(64))) = {0};
            for (ptrdiff_t c = 0; c < rest; c++) tail[c] = x[whole + c] - mean;
            vfloat d = *(const vfloat *)tail;
            squares = d * d + squares;
        }
        const float variance = sum_lanes(squares) * scale;
        const vfloat inverse = splat(1.0f / __builtin_sqrtf(variance + n->epsilon));
        for (ptrdiff_t c = 0; c < whole; c += LANES) {
            vfloat v = (load(x + c) - splat(mean)) * inverse;
            if (n->weight) v = v * load(n->weight + c) + load(n->bias + c);
            store(y + c, v);
        }
        if (rest) {
            vfloat v = (load_first(x + whole, rest) - splat(mean)) * inverse;
            if (n->weight) v = v * load_first(n->weight + whole, rest) + load_first(n->bias + whole, rest);
            store_first(y + whole, v, rest);
        }
    }
}

enum { SOFTMAX_ROWS = 16 };

/// scores ← exp(scores − max) for each of up to SOFTMAX_ROWS rows, and 1 / Σ of each: a softmax whose division is left
/// to the caller. One pass for the maxima and one for the exponentials: inside a pass no row waits for another, and the
/// processor overlaps their reductions. Behind the last column, up to a whole vector, zeros are written.
static void exponentials(
    float *scores, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, float inverses[SOFTMAX_ROWS]) {
    const ptrdiff_t whole = columns / LANES * LANES, rest = columns - whole;
    const vfloat lowest = splat(-__builtin_inff());
    vint lane;
    CETNET_UNROLL
    for (int j = 0; j < LANES; j++) lane[j] = j;
    const vint valid = lane < (vint)((int32_t)rest);
    float maxima[SOFTMAX_ROWS];

    for (ptrdiff_t i = 0; i < rows; i++) {
        const float *row = scores + i * stride;
        vfloat largest = rest ? (valid ? load(row + whole) : lowest) : lowest;
        for (ptrdiff_t j = 0; j < whole; j += LANES) largest = vmax(largest, load(row + j));
        maxima[i] = max_lanes(largest);
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
        float *row = scores + i * stride;
        const vfloat maximum = splat(maxima[i]);
        vfloat sum = splat(0);
        for (ptrdiff_t j = 0; j < whole; j += LANES) {
            vfloat e = vexp_or_zero(load(row + j) - maximum);
            store(row + j, e);
            sum += e;
        }
        if (rest) {
            vfloat e = vexp_or_zero(load(row + whole) - maximum);
            e = valid ? e : splat(0);
            store(row + whole, e);
            sum += e;
        }
        inverses[i] = 1.0f / sum_lanes(sum);
    }
}

static void softmax(const cetnet_softmax *s) {
    for (ptrdiff_t first = 0; first < s->rows; first += SOFTMAX_ROWS) {
        const ptrdiff_t rows = s->rows - first < SOFTMAX_ROWS ? s->rows - first : SOFTMAX_ROWS;
        float *scores = s->scores + first * s->stride;
        for (ptrdiff_t i = 0; s->mask && i < rows; i++) {
            float *row = scores + i * s->stride;
            const float *mask = s->mask + (first + i) * s->mask_stride;
            for (ptrdiff_t j = 0; j < s->columns; j += LANES) store(row + j, load(row + j) + load(mask + j));
        }
        float inverses[SOFTMAX_ROWS];
        exponentials(scores, s->stride, rows, s->columns, inverses);
        for (ptrdiff_t i = 0; i < rows; i++) {
            float *row = scores + i * s->stride;
            for (ptrdiff_t j = 0; j < s->columns; j += LANES) store(row + j, load(row + j) * splat(inverses[i]));
        }
    }
}
