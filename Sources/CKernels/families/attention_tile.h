// Attention of one head in a window of which a few queries' scores fit into registers; window_attention in attention.h
// uses it where it can.
//
// A tile of queries at a time: their scores against all keys stay in registers from the product over bias, mask and
// softmax to the probabilities, which pass through a buffer of a few lines to the second product. The division by their
// sum is left to the results, of which there are fewer.
//
// A window of 7×7 tokens is one token wider than whole vectors of 16 or 8. That last key's scores are computed apart,
// by one dot product a query: a vector for it alone would be filled with nothing.

enum {
    /// Channels of a head are taken in steps of this, so that distances inside a step are constants.
    ATTENTION_STEP = 32,
    /// The most queries of a tile, and vectors of keys.
    ATTENTION_ROWS = 8,
    ATTENTION_VECTORS = 6,
};

typedef struct attention_head {
    const cetnet_window_attention *window;
    /// head_dimension × whole vectors of keys: the keys, transposed.
    float *keys;
    /// tokens × head_dimension.
    float *values;
} attention_head;

/// Transposes the keys that fill vectors, zeros behind the last token, and gathers the values.
CETNET_INLINE void gather_head(const attention_head *head, const int vectors) {
    const cetnet_window_attention *w = head->window;
    for (int v = 0; v < vectors; v++) {
        for (ptrdiff_t k = 0; k < w->head_dimension; k += LANES) {
            vfloat block[LANES];
            CETNET_UNROLL
            for (int j = 0; j < LANES; j++) {
                const ptrdiff_t token = v * LANES + j;
                block[j] = token < w->tokens ? load(w->rows[token] + w->key_offset + k) : splat(0);
            }
            transpose(block);
            CETNET_UNROLL
            for (int j = 0; j < LANES; j++) store(head->keys + (k + j) * vectors * LANES + v * LANES, block[j]);
        }
    }
    for (ptrdiff_t t = 0; t < w->tokens; t++) {
        copy_floats(head->values + t * w->head_dimension, w->rows[t] + w->value_offset, w->head_dimension);
    }
}

/// `rows` queries from `first` on against `vectors` of keys and, with `single`, one key more. All three are constants
/// after inlining.
CETNET_INLINE void attend_tile(
    const attention_head *head, const int rows, const int vectors, const int single, ptrdiff_t first) {
    const cetnet_window_attention *w = head->window;
    const int columns = vectors * LANES, stride = columns + LANES;
    vfloat scores[ATTENTION_ROWS][ATTENTION_VECTORS];
    float last[LANES] __attribute__((aligned(64))) = {0};
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        const float *bias = w->bias + (first + i) * w->score_stride;
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) scores[i][v] = load(bias + v * LANES);
        if (single) last[i] = bias[columns];
    }
    if (w->mask) {
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            const float *mask = w->mask + (first + i) * w->score_stride;
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) scores[i][v] += load(mask + v * LANES);
            if (single) last[i] += mask[columns];
        }
    }

    float queries[ATTENTION_ROWS * ATTENTION_STEP] __attribute__((aligned(64)));
    for (ptrdiff_t step = 0; step < w->head_dimension; step += ATTENTION_STEP) {
        const float *key = single ? w->rows[columns] + w->key_offset + step : 0;
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            const float *query = w->rows[first + i] + w->query_offset + step;
            vfloat product = splat(0);
            CETNET_UNROLL
            for (int k = 0; k < ATTENTION_STEP; k += LANES) {
                const vfloat q = load(query + k);
                store(queries + i * ATTENTION_STEP + k, q);
                if (single) product = q * load(key + k) + product;
            }
            if (single) last[i] += sum_lanes(product);
        }
        const float *keys = head->keys + step * columns;
        CETNET_KEEP_LOOP
        for (int k = 0; k < ATTENTION_STEP; k++, keys += columns) {
            vfloat b[ATTENTION_VECTORS];
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) b[v] = load(keys + v * LANES);
            CETNET_UNROLL
            for (int i = 0; i < rows; i++) {
                const vfloat q = splat(queries[i * ATTENTION_STEP + k]);
                CETNET_UNROLL
                for (int v = 0; v < vectors; v++) scores[i][v] = q * b[v] + scores[i][v];
            }
        }
    }
    const ptrdiff_t valid = w->tokens - (columns - LANES);
    if (!single && valid < LANES) {
        vint lane;
        CETNET_UNROLL
        for (int j = 0; j < LANES; j++) lane[j] = j;
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            vfloat *behind = &scores[i][vectors - 1];
            *behind = lane < (vint)((int32_t)valid) ? *behind : splat(-__builtin_inff());
        }
    }

    // The last key's probabilities of all queries are one vector.
    float maxima[LANES] __attribute__((aligned(64))) = {0};
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        vfloat largest = scores[i][0];
        CETNET_UNROLL
        for (int v = 1; v < vectors; v++) largest = vmax(largest, scores[i][v]);
        const float maximum = max_lanes(largest);
        maxima[i] = single && last[i] > maximum ? last[i] : maximum;
    }
    float probabilities[ATTENTION_ROWS * (ATTENTION_VECTORS + 1) * LANES] __attribute__((aligned(64)));
    float inverses[ATTENTION_ROWS];
    const vfloat singles = single ? vexp_or_zero(*(const vfloat *)last - *(const vfloat *)maxima) : splat(0);
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        vfloat sum = splat(0);
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) {
            const vfloat e = vexp_or_zero(scores[i][v] - splat(maxima[i]));
            store(probabilities + i * stride + v * LANES, e);
            sum += e;
        }
        if (single) probabilities[i * stride + columns] = singles[i];
        inverses[i] = 1.0f / (sum_lanes(sum) + singles[i]);
    }

    enum { WIDTH = ATTENTION_STEP / LANES };
    for (ptrdiff_t step = 0; step < w->head_dimension; step += ATTENTION_STEP) {
        vfloat results[ATTENTION_ROWS][WIDTH];
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            CETNET_UNROLL
            for (int v = 0; v < WIDTH; v++) results[i][v] = splat(0);
        }
        const float *values = head->values + step;
        CETNET_KEEP_LOOP
        for (ptrdiff_t k = 0; k < w->tokens; k++, values += w->head_dimension) {
            vfloat b[WIDTH];
            CETNET_UNROLL
            for (int v = 0; v < WIDTH; v++) b[v] = load(values + v * LANES);
            CETNET_UNROLL
            for (int i = 0; i < rows; i++) {
                const vfloat p = splat(probabilities[i * stride + k]);
                CETNET_UNROLL
                for (int v = 0; v < WIDTH; v++) results[i][v] = p * b[v] + results[i][v];
            }
        }
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            float *output = w->outputs[first + i];
            if (!output) continue;
            CETNET_UNROLL
            for (int v = 0; v < WIDTH; v++) {
                store(output + w->output_offset + step + v * LANES, results[i][v] * splat(inverses[i]));
            }
        }
    }
}

/// All queries in tiles of `rows`, of which there are enough; the last tile overlaps the one before, rather than being
/// of another height.
#define CETNET_ATTEND(rows, vectors, single)                                                                           \
    static __attribute__((noinline)) void attend_##vectors##_##single(const attention_head *head) {                    \
        const ptrdiff_t tokens = head->window->tokens;                                                                 \
        gather_head(head, vectors);                                                                                    \
        for (ptrdiff_t first = 0; first < tokens; first += rows) {                                                     \
            attend_tile(head, rows, vectors, single, first + rows <= tokens ? first : tokens - rows);                  \
        }                                                                                                              \
    }
// As many queries as leave registers for the keys: of 32 for 16 lanes, of 16 for 8.
#if CETNET_LANES == 16
CETNET_ATTEND(8, 1, 0)
CETNET_ATTEND(8, 1, 1)
CETNET_ATTEND(8, 2, 0)
CETNET_ATTEND(8, 2, 1)
CETNET_ATTEND(7, 3, 0)
CETNET_ATTEND(7, 3, 1)
CETNET_ATTEND(6, 4, 0)
#elif CETNET_LANES == 8
CETNET_ATTEND(4, 2, 0)
CETNET_ATTEND(4, 2, 1)
CETNET_ATTEND(4, 3, 0)
CETNET_ATTEND(4, 3, 1)
CETNET_ATTEND(3, 4, 0)
CETNET_ATTEND(3, 4, 1)
CETNET_ATTEND(2, 5, 0)
CETNET_ATTEND(2, 5, 1)
CETNET_ATTEND(2, 6, 0)
CETNET_ATTEND(2, 6, 1)
#endif
#undef CETNET_ATTEND

typedef void (*attend_kernel)(const attention_head *);

/// By vectors of keys, and whether there is one key more.
static const attend_kernel attend_kernels[ATTENTION_VECTORS + 1][2] = {
#if CETNET_LANES == 16
    [1] = {attend_1_0, attend_1_1}, [2] = {attend_2_0, attend_2_1}, [3] = {attend_3_0, attend_3_1}, [4] = {attend_4_0},
#elif CETNET_LANES == 8
    [2] = {attend_2_0, attend_2_1}, [3] = {attend_3_0, attend_3_1}, [4] = {attend_4_0, attend_4_1},
    [5] = {attend_5_0, attend_5_1}, [6] = {attend_6_0, attend_6_1},
#endif
};

/// Whether there was a kernel for the window, which has then done it.
static int attend_window(const cetnet_window_attention *w) {
    const ptrdiff_t whole = w->tokens / LANES, rest = w->tokens % LANES;
    const ptrdiff_t vectors = whole + (rest > 1);
    if (w->tokens < ATTENTION_ROWS || vectors > ATTENTION_VECTORS || w->head_dimension % ATTENTION_STEP) return 0;
    const attend_kernel kernel = attend_kernels[vectors][rest == 1];
    if (!kernel) return 0;
    const attention_head head = {
        .window = w, .keys = w->scratch, .values = w->scratch + w->head_dimension * vectors * LANES};
    kernel(&head);
    return 1;
}
