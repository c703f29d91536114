// bfloat16 and int8: products, packing and conversion; contracts in ../include/low_precision.h.

CETNET_TILES(BFLOAT16_WIDENED)
CETNET_TILES(INT8_WIDENED)

static void gemm_bfloat16_widened(const cetnet_gemm *g) {
    multiply_panels(g, BFLOAT16_WIDENED_TILES, CETNET_TILE_ROWS, PANEL_HEADER(BFLOAT16));
}

static void gemm_int8_widened(const cetnet_gemm *g) {
    multiply_panels(g, INT8_WIDENED_TILES, PRODUCT_TILE_ROWS(INT8_WIDENED), PANEL_HEADER(INT8));
}

#ifdef CETNET_BFLOAT16_INSTRUCTIONS
CETNET_TILES(BFLOAT16)

static void gemm_bfloat16(const cetnet_gemm *g) {
    if (!has_bfloat16_products()) return gemm_bfloat16_widened(g);
    multiply_panels(g, BFLOAT16_TILES, CETNET_TILE_ROWS, PANEL_HEADER(BFLOAT16));
}
#else
static void gemm_bfloat16(const cetnet_gemm *g) { gemm_bfloat16_widened(g); }
#endif

#ifdef CETNET_INT8_INSTRUCTIONS
CETNET_TILES(INT8)

static void gemm_int8(const cetnet_gemm *g) {
    if (!has_int8_products()) return gemm_int8_widened(g);
    multiply_panels(g, INT8_TILES, CETNET_TILE_ROWS, PANEL_HEADER(INT8));
}
#else
static void gemm_int8(const cetnet_gemm *g) { gemm_int8_widened(g); }
#endif

// MARK: Words

enum { BFLOAT16_BLOCK = CETNET_BFLOAT16_PER_WORD * LANES, INT8_BLOCK = CETNET_INT8_PER_WORD * LANES };

typedef uint16_t vhalf __attribute__((ext_vector_type(CETNET_LANES)));
typedef uint8_t vbyte __attribute__((ext_vector_type(CETNET_LANES)));

/// Rounded to the nearest bfloat16, ties to even; denormals become zero, NaN stays NaN.
CETNET_INLINE vhalf round_to_bfloat16(vfloat x) {
    const vuint bits = (vuint)x;
    const vint magnitude = (vint)x & 0x7fffffff;
    vuint rounded = bits + 0x7fff + (bits >> 16 & 1);
    rounded = magnitude > 0x7f800000 ? bits | 0x00400000 : rounded;
    rounded = magnitude < 0x00800000 ? bits & 0x80000000 : rounded;
    return __builtin_convertvector(rounded >> 16, vhalf);
}

/// Words of BFLOAT16_BLOCK numbers.
CETNET_INLINE vfloat bfloat16_words(const int product, const float *x) {
    const vfloat low = load(x), high = load(x + LANES);
    (void)product;
#ifdef CETNET_BFLOAT16_INSTRUCTIONS
    if (product == BFLOAT16) {
        vfloat words;
        __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(words) : "v"(low), "v"(high));
        return words;
    }
#endif
    vhalf halves[2] = {round_to_bfloat16(low), round_to_bfloat16(high)};
    vfloat words;
    memcpy(&words, halves, sizeof words);
    return words;
}

/// Words of INT8_BLOCK numbers: round(x · inverse) + offset.
CETNET_INLINE vfloat int8_words(const float *x, vfloat inverse, const int offset) {
    // Added to this, a number below 2^21 is rounded to an integer, ties to even, which then is in the lowest bits.
    const vfloat magic = splat(12582912.0f + offset);
    vbyte bytes[CETNET_INT8_PER_WORD];
    CETNET_UNROLL
    for (int v = 0; v < CETNET_INT8_PER_WORD; v++) {
        // Two statements: in one, tiers with fused multiply-adds would round differently.
        const vfloat scaled = load(x + v * LANES) * inverse;
        bytes[v] = __builtin_convertvector((vint)(scaled + magic), vbyte);
    }
    vfloat words;
    memcpy(&words, bytes, sizeof words);
    return words;
}

/// The largest magnitude as bits, which for NaN and infinity are larger than all others.
CETNET_INLINE vint larger_magnitude(vint largest, vfloat x) {
    const vint magnitude = (vint)x & 0x7fffffff;
    return magnitude > largest ? magnitude : largest;
}

CETNET_INLINE int32_t largest_lane(vint v) {
    int32_t largest = 0;
    CETNET_UNROLL
    for (int i = 0; i < LANES; i++) largest = v[i] > largest ? v[i] : largest;
    return largest;
}

typedef struct int8_scale {
    float scale, inverse;
} int8_scale;

CETNET_INLINE int8_scale scale_of(vint magnitudes) {
    const int32_t bits = largest_lane(magnitudes);
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    if (bits >= 0x7f800000) return (int8_scale){__builtin_nanf(""), 0};
    return largest < 0x1p-100f ? (int8_scale){0, 0} : (int8_scale){largest / 127.0f, 127.0f / largest};
}

// MARK: Activations

CETNET_INLINE void store_words(float *to, vfloat words, ptrdiff_t count) {
    if (count >= LANES) {
        store(to, words);
    } else {
        store_first(to, words, count);
    }
}

/// `count` < `block` numbers, then zeros.
CETNET_INLINE const float *filled(float *block, const ptrdiff_t size, const float *x, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < size; i += LANES) {
        const ptrdiff_t left = count - i;
        store(block + i, left >= LANES ? load(x + i) : load_first(x + i, left > 0 ? left : 0));
    }
    return block;
}

CETNET_INLINE void convert_rows_to_bfloat16(const int product, const cetnet_convert *c) {
    float block[BFLOAT16_BLOCK] __attribute__((aligned(64)));
    for (ptrdiff_t i = 0; i < c->rows; i++) {
        const float *x = c->x + i * c->x_stride;
        float *y = c->y + i * c->y_stride;
        ptrdiff_t k = 0;
        for (; k + BFLOAT16_BLOCK <= c->depth; k += BFLOAT16_BLOCK, y += LANES) store(y, bfloat16_words(product, x + k));
        if (k < c->depth) {
            const ptrdiff_t rest = c->depth - k;
            store_words(y, bfloat16_words(product, filled(block, BFLOAT16_BLOCK, x + k, rest)), (rest + 1) / 2);
        }
    }
}

static void convert_bfloat16_widened(const cetnet_convert *c) { convert_rows_to_bfloat16(BFLOAT16_WIDENED, c); }

static void convert_bfloat16(const cetnet_convert *c) {
    if (has_bfloat16_products()) {
        convert_rows_to_bfloat16(BFLOAT16, c);
    } else {
        convert_rows_to_bfloat16(BFLOAT16_WIDENED, c);
    }
}

static void convert_int8(const cetnet_convert *c) {
    const ptrdiff_t whole = c->depth / INT8_BLOCK * INT8_BLOCK, rest = c->depth - whole;
    float block[INT8_BLOCK] __attribute__((aligned(64)));
    for (ptrdiff_t i = 0; i < c->rows; i++) {
        const float *x = c->x + i * c->x_stride;
        float *y = c->y + i * c->y_stride;
        vint largest = (vint)(0);
        for (ptrdiff_t k = 0; k < whole; k += LANES) largest = larger_magnitude(largest, load(x + k));
        if (rest) {
            filled(block, INT8_BLOCK, x + whole, rest);
            CETNET_UNROLL
            for (int v = 0; v < CETNET_INT8_PER_WORD; v++) largest = larger_magnitude(largest, load(block + v * LANES));
        }
        const int8_scale scale = scale_of(largest);
        const vfloat inverse = splat(scale.inverse);
        for (ptrdiff_t k = 0; k < whole; k += INT8_BLOCK, y += LANES) store(y, int8_words(x + k, inverse, 128));
        const ptrdiff_t words = (rest + CETNET_INT8_PER_WORD - 1) / CETNET_INT8_PER_WORD;
        if (rest) store_words(y, int8_words(block, inverse, 128), words);
        y[words] = scale.scale;
    }
}

// MARK: Weights

/// `count` weights of a row from `k` on, at most `size`, folded; zeros behind them.
CETNET_INLINE const float *folded_weights(
    const cetnet_pack *p, ptrdiff_t column, ptrdiff_t k, float *block, const ptrdiff_t size) {
    const ptrdiff_t count = p->depth - k;
    const vfloat column_scale = splat(p->column_scale ? p->column_scale[column] : 1);
    filled(block, size, p->weights + column * p->weights_stride + k, count);
    for (ptrdiff_t i = 0; i < size; i += LANES) {
        vfloat w = load(block + i) * column_scale;
        if (p->depth_scale && i < count) {
            w *= count - i >= LANES ? load(p->depth_scale + k + i) : load_first(p->depth_scale + k + i, count - i);
        }
        // Zeros stay positive, whatever the scale's sign.
        store(block + i, w + splat(0));
    }
    return block;
}

/// Words of INT8_BLOCK integers of a row that are given, from `k` on; zeros behind the last.
CETNET_INLINE vfloat given_words(const cetnet_pack *p, ptrdiff_t column, ptrdiff_t k) {
    const int8_t *integers = p->integers + column * p->depth + k;
    const ptrdiff_t count = p->depth - k;
    vfloat words = splat(0);
    if (count >= INT8_BLOCK) {
        memcpy(&words, integers, INT8_BLOCK);
    } else {
        memcpy(&words, integers, (size_t)count);
    }
    return words;
}

/// LANES columns from `column` on, into the half of a panel that starts at `panel`, whose rows are `width` apart.
CETNET_INLINE void pack_half(const int product, const cetnet_pack *p, ptrdiff_t column, float *panel, ptrdiff_t width) {
    const int per_word = IS_INT8(product) ? CETNET_INT8_PER_WORD : CETNET_BFLOAT16_PER_WORD, size = per_word * LANES;
    const ptrdiff_t words = (p->depth + per_word - 1) / per_word;
    const ptrdiff_t columns = p->columns - column < LANES ? p->columns - column : LANES;
    float block[INT8_BLOCK] __attribute__((aligned(64)));
    int8_scale scales[LANES] = {0};
    int32_t sums[LANES] = {0};
    for (ptrdiff_t j = 0; IS_INT8(product) && j < columns; j++) {
        if (p->integers) {
            scales[j].scale = p->scales[column + j];
            continue;
        }
        vint largest = (vint)(0);
        for (ptrdiff_t k = 0; k < p->depth; k += size) {
            folded_weights(p, column + j, k, block, size);
            for (ptrdiff_t i = 0; i < size; i += LANES) largest = larger_magnitude(largest, load(block + i));
        }
        scales[j] = scale_of(largest);
    }
    float *rows = panel + PANEL_HEADER(product) * width;
    for (ptrdiff_t word = 0; word < words; word += LANES) {
        vfloat square[LANES];
        for (ptrdiff_t j = 0; j < LANES; j++) {
            square[j] = splat(0);
            if (j >= columns) continue;
            if (!IS_INT8(product)) {
                folded_weights(p, column + j, word * per_word, block, size);
                square[j] = bfloat16_words(BFLOAT16_WIDENED, block);
                continue;
            }
            if (p->integers) {
                square[j] = given_words(p, column + j, word * per_word);
            } else {
                folded_weights(p, column + j, word * per_word, block, size);
                square[j] = int8_words(block, splat(scales[j].inverse), 0);
            }
            int8_t q[INT8_BLOCK];
            memcpy(q, &square[j], sizeof q);
            for (int i = 0; i < INT8_BLOCK; i++) sums[j] += q[i];
        }
        transpose(square);
        for (ptrdiff_t k = 0; k < LANES && word + k < words; k++) store(rows + (word + k) * width, square[k]);
    }
    for (ptrdiff_t j = 0; j < LANES; j++) {
        float *bias = panel + j;
        if (IS_INT8(product)) {
            const int32_t start = -128 * sums[j];
            memcpy(panel + j, &start, sizeof start);
            panel[width + j] = scales[j].scale;
            bias += 2 * width;
        }
        *bias = p->bias && j < columns ? p->bias[column + j] : 0;
    }
}

CETNET_INLINE void pack_words(const int product, const cetnet_pack *p, const ptrdiff_t per_word) {
    float *panel = p->panels;
    for (ptrdiff_t column = 0; column < p->columns; column += PANEL) {
        const ptrdiff_t width = panel_width(p->columns - column);
        for (ptrdiff_t half = 0; half < width; half += LANES) pack_half(product, p, column + half, panel + half, width);
        panel += width * (PANEL_HEADER(product) + (p->depth + per_word - 1) / per_word);
    }
}

static void pack_bfloat16(const cetnet_pack *p) { pack_words(BFLOAT16, p, CETNET_BFLOAT16_PER_WORD); }
static void pack_int8(const cetnet_pack *p) { pack_words(INT8, p, CETNET_INT8_PER_WORD); }
