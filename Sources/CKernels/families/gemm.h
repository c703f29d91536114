// GEMM on packed panels; contract in ../include/gemm.h.
//
// The micro-kernel keeps CETNET_TILE_ROWS × 2 vectors of sums in registers (14 × 2 of 32 registers for AVX-512, 6 × 2
// of 16 for AVX2) and per step of depth loads two vectors of weights and broadcasts one activation per row. Loops, from
// the outside: panels, row tiles, depth. A panel stays in the first- or second-level cache while all rows pass by.

/// Row `i` of a matrix whose multiples of the row stride (in bytes) are at hand. Only scales 1, 2 and 4, 8 of an index
/// register are needed, so a tile's rows take eight registers instead of one each.
typedef struct row_strides {
    ptrdiff_t s1, s3, s5, s7, s9, s11, s13;
} row_strides;

CETNET_INLINE row_strides make_row_strides(ptrdiff_t stride) {
    ptrdiff_t s = stride * (ptrdiff_t)sizeof(float);
    row_strides strides = {s, 3 * s, 5 * s, 7 * s, 9 * s, 11 * s, 13 * s};
    // The optimiser would otherwise turn each row into a pointer of its own, and spill half of them.
    __asm__("" : "+r"(strides.s3));
    __asm__("" : "+r"(strides.s5));
    __asm__("" : "+r"(strides.s7));
    __asm__("" : "+r"(strides.s9));
    __asm__("" : "+r"(strides.s11));
    __asm__("" : "+r"(strides.s13));
    return strides;
}

CETNET_INLINE float row_element(const float *base, const row_strides *strides, int row) {
    const char *p = (const char *)base;
    switch (row) {
    case 1: p += strides->s1; break;
    case 2: p += 2 * strides->s1; break;
    case 3: p += strides->s3; break;
    case 4: p += 4 * strides->s1; break;
    case 5: p += strides->s5; break;
    case 6: p += 2 * strides->s3; break;
    case 7: p += strides->s7; break;
    case 8: p += 8 * strides->s1; break;
    case 9: p += strides->s9; break;
    case 10: p += 2 * strides->s5; break;
    case 11: p += strides->s11; break;
    case 12: p += 4 * strides->s3; break;
    case 13: p += strides->s13; break;
    default: break;
    }
    return *(const float *)p;
}

typedef struct gemm_tile {
    const float *a;
    ptrdiff_t a_stride;
    const float *panel;
    ptrdiff_t depth;
    const float *initial;
    ptrdiff_t initial_stride;
    const float *residual;
    ptrdiff_t residual_stride;
    float *c;
    ptrdiff_t c_stride;
} gemm_tile;

/// One tile of `rows` × PANEL without activation; `rows` is a constant after inlining.
CETNET_INLINE void compute_tile(const int rows, const gemm_tile *tile) {
    vfloat sums[CETNET_TILE_ROWS][2];
    const float *panel = tile->panel;
    if (tile->initial) {
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            sums[i][0] = load(tile->initial + i * tile->initial_stride);
            sums[i][1] = load(tile->initial + i * tile->initial_stride + LANES);
        }
    } else {
        vfloat bias0 = load(panel), bias1 = load(panel + LANES);
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            sums[i][0] = bias0;
            sums[i][1] = bias1;
        }
    }
    panel += PANEL;
    const row_strides strides = make_row_strides(tile->a_stride);
    const float *a = tile->a;
    for (ptrdiff_t k = 0; k < tile->depth; k++) {
        // Keeps the address arithmetic above as it is; see make_row_strides.
        __asm__("" : "+r"(a));
        vfloat b0 = load(panel), b1 = load(panel + LANES);
        // Weights of a large network come from memory: ask for them 16 steps ahead, across the panel's end too.
        __builtin_prefetch(panel + 16 * PANEL);
        if (PANEL * sizeof(float) > 64) __builtin_prefetch(panel + 16 * PANEL + LANES);
        panel += PANEL;
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            vfloat x = splat(row_element(a, &strides, i));
            sums[i][0] = x * b0 + sums[i][0];
            sums[i][1] = x * b1 + sums[i][1];
        }
        a++;
    }
    if (tile->residual) {
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            sums[i][0] += load(tile->residual + i * tile->residual_stride);
            sums[i][1] += load(tile->residual + i * tile->residual_stride + LANES);
        }
    }
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        store(tile->c + i * tile->c_stride, sums[i][0]);
        store(tile->c + i * tile->c_stride + LANES, sums[i][1]);
    }
}

#define CETNET_TILE(n)                                                                                                 \
    static __attribute__((noinline)) void compute_tile_##n(const gemm_tile *tile) { compute_tile(n, tile); }
CETNET_TILE(1)
CETNET_TILE(2)
CETNET_TILE(3)
CETNET_TILE(4)
CETNET_TILE(5)
CETNET_TILE(6)
#if CETNET_TILE_ROWS > 6
CETNET_TILE(7)
CETNET_TILE(8)
CETNET_TILE(9)
CETNET_TILE(10)
CETNET_TILE(11)
CETNET_TILE(12)
CETNET_TILE(13)
CETNET_TILE(14)
#endif
#undef CETNET_TILE

static void (*const tile_kernels[])(const gemm_tile *) = {
    0, compute_tile_1, compute_tile_2, compute_tile_3, compute_tile_4, compute_tile_5, compute_tile_6,
#if CETNET_TILE_ROWS > 6
    compute_tile_7, compute_tile_8, compute_tile_9, compute_tile_10, compute_tile_11, compute_tile_12,
    compute_tile_13, compute_tile_14,
#endif
};
_Static_assert(sizeof(tile_kernels) / sizeof(tile_kernels[0]) == CETNET_TILE_ROWS + 1, "a kernel per tile height");

/// activation, then residual, on a tile that has just been stored and is still in the first-level cache.
CETNET_INLINE void finish_vector(int32_t activation, float *c, const float *residual, ptrdiff_t count) {
    if (count >= LANES) {
        vfloat v = activate(activation, load(c));
        store(c, residual ? v + load(residual) : v);
    } else {
        vfloat v = activate(activation, load_first(c, count));
        store_first(c, residual ? v + load_first(residual, count) : v, count);
    }
}

CETNET_INLINE void finish_rows(
    int32_t activation, float *c, ptrdiff_t c_stride, const float *residual, ptrdiff_t residual_stride, ptrdiff_t rows,
    ptrdiff_t columns) {
    for (ptrdiff_t i = 0; i < rows; i++) {
        float *row = c + i * c_stride;
        const float *residual_row = residual ? residual + i * residual_stride : 0;
        for (ptrdiff_t j = 0; j < columns; j += LANES) {
            finish_vector(activation, row + j, residual_row ? residual_row + j : 0, columns - j);
        }
    }
}

/// The switch is outside of the loops so that each loop holds one formula.
static void finish_tile(
    int32_t activation, float *c, ptrdiff_t c_stride, const float *residual, ptrdiff_t residual_stride, ptrdiff_t rows,
    ptrdiff_t columns) {
    switch (activation) {
    case CETNET_ACTIVATION_GELU:
        finish_rows(CETNET_ACTIVATION_GELU, c, c_stride, residual, residual_stride, rows, columns);
        break;
    case CETNET_ACTIVATION_QUICK_GELU:
        finish_rows(CETNET_ACTIVATION_QUICK_GELU, c, c_stride, residual, residual_stride, rows, columns);
        break;
    default: finish_rows(CETNET_ACTIVATION_NONE, c, c_stride, residual, residual_stride, rows, columns);
    }
}

static void gemm(const cetnet_gemm *g) {
    // Tiles of even height: 49 rows become 13 + 12 + 12 + 12, not 14 + 14 + 14 + 7.
    const ptrdiff_t tiles = (g->rows + CETNET_TILE_ROWS - 1) / CETNET_TILE_ROWS;
    for (ptrdiff_t column = 0; column < g->columns; column += PANEL) {
        const float *panel = g->panels + column * (g->depth + 1);
        const ptrdiff_t columns = g->columns - column < PANEL ? g->columns - column : PANEL;
        for (ptrdiff_t t = 0; t < tiles; t++) {
            const ptrdiff_t row = t * g->rows / tiles;
            const ptrdiff_t rows = (t + 1) * g->rows / tiles - row;
            float *c = g->c + row * g->c_stride + column;
            const float *residual = g->residual ? g->residual + row * g->residual_stride + column : 0;
            gemm_tile tile = {
                .a = g->a + row * g->a_stride,
                .a_stride = g->a_stride,
                .panel = panel,
                .depth = g->depth,
                .initial = g->initial ? g->initial + row * g->initial_stride + column : 0,
                .initial_stride = g->initial_stride,
                .c = c,
                .c_stride = g->c_stride,
            };
            if (columns == PANEL) {
                const int direct = g->activation == CETNET_ACTIVATION_NONE;
                tile.residual = direct ? residual : 0;
                tile.residual_stride = g->residual_stride;
                tile_kernels[rows](&tile);
                if (!direct) finish_tile(g->activation, c, g->c_stride, residual, g->residual_stride, rows, columns);
            } else {
                float whole[CETNET_TILE_ROWS * PANEL] __attribute__((aligned(64)));
                tile.c = whole;
                tile.c_stride = PANEL;
                tile_kernels[rows](&tile);
                for (ptrdiff_t i = 0; i < rows; i++) {
                    // Not in place: `residual` may be `c`.
                    float *sums = whole + i * PANEL;
                    finish_tile(
                        g->activation, sums, PANEL, residual ? residual + i * g->residual_stride : 0, PANEL, 1, columns);
                    memcpy(c + i * g->c_stride, sums, (size_t)columns * sizeof(float));
                }
            }
        }
    }
}

static void pack_panels(const cetnet_pack *p) {
    float *panel = p->panels;
    for (ptrdiff_t column = 0; column < p->columns; column += PANEL) {
        const ptrdiff_t columns = p->columns - column < PANEL ? p->columns - column : PANEL;
        for (ptrdiff_t j = 0; j < PANEL; j++) panel[j] = p->bias && j < columns ? p->bias[column + j] : 0;
        panel += PANEL;
        // Whole blocks of LANES × LANES are transposed in registers.
        for (ptrdiff_t half = 0; half < PANEL; half += LANES) {
            const float *rows = p->weights + (column + half) * p->weights_stride;
            const ptrdiff_t valid = columns - half;
            ptrdiff_t k = 0;
            for (; k + LANES <= p->depth; k += LANES) {
                vfloat block[LANES];
                if (valid >= LANES) {
                    CETNET_UNROLL
                    for (int j = 0; j < LANES; j++) block[j] = load(rows + j * p->weights_stride + k);
                } else {
                    for (int j = 0; j < LANES; j++) {
                        block[j] = j < valid ? load(rows + j * p->weights_stride + k) : splat(0);
                    }
                }
                transpose(block);
                CETNET_UNROLL
                for (int j = 0; j < LANES; j++) store(panel + (k + j) * PANEL + half, block[j]);
            }
            for (; k < p->depth; k++) {
                for (ptrdiff_t j = 0; j < LANES; j++) {
                    panel[k * PANEL + half + j] = j < valid ? rows[j * p->weights_stride + k] : 0;
                }
            }
        }
        panel += p->depth * PANEL;
    }
}

static void epilogue(const cetnet_epilogue *e) {
    for (ptrdiff_t i = 0; i < e->rows; i++) {
        float *row = e->c + i * e->c_stride;
        if (e->bias) {
            ptrdiff_t j = 0;
            for (; j + LANES <= e->columns; j += LANES) store(row + j, load(row + j) + load(e->bias + j));
            for (; j < e->columns; j++) row[j] += e->bias[j];
        }
        finish_tile(
            e->activation, row, e->c_stride, e->residual ? e->residual + i * e->residual_stride : 0, e->residual_stride,
            1, e->columns);
    }
}
