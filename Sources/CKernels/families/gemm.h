// GEMM on packed panels; contract in ../include/gemm.h.
//
// The micro-kernel keeps CETNET_TILE_ROWS × 2 vectors of sums in registers (14 × 2 of 32 registers for AVX-512, 6 × 2
// of 16 for AVX2) and per step of depth loads two vectors of weights and broadcasts one activation per row. Loops, from
// the outside: panels, row tiles, depth. A panel stays in the first- or second-level cache while all rows pass by.
//
// A step of depth is a word of 32 bits, and what a word holds is all that the precisions differ in; see
// ../simd/products.h. Words travel as floats, which moves their bits as they are.

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
    default: p += row * strides->s1; break;
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
    /// Weights to ask for meanwhile, `ahead_step` bytes further after each step of depth.
    const char *ahead;
    ptrdiff_t ahead_step;
} gemm_tile;

/// One tile of `rows` × (`vectors` · LANES) without activation; both and the product are constants after inlining.
CETNET_INLINE void compute_tile(const int product, const int rows, const int vectors, const gemm_tile *tile) {
    vfloat sums[CETNET_TILE_ROWS][2];
    const float *panel = tile->panel;
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) {
            sums[i][v] = load((tile->initial ? tile->initial + i * tile->initial_stride : panel) + v * LANES);
        }
    }
    panel += PANEL_HEADER(product) * vectors * LANES;
    const row_strides strides = make_row_strides(tile->a_stride);
    const float *a = tile->a;
    const char *ahead = tile->ahead;
    for (ptrdiff_t k = 0; k < tile->depth; k++) {
        // Keeps the address arithmetic as it is; see make_row_strides.
        __asm__("" : "+r"(a));
        // Into the second-level cache; from there the processor looks far enough ahead by itself.
        __builtin_prefetch(ahead, 0, 2);
        __builtin_prefetch(ahead + 64, 0, 2);
        ahead += tile->ahead_step;
        CETNET_UNROLL
        for (int pass = 0; pass < PRODUCT_PASSES(product); pass++) {
            // Words are loaded anew: kept from pass to pass, they would push sums out of the registers.
            if (pass > 0) __asm__("" : "+r"(a), "+r"(panel));
            vfloat b[2];
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) b[v] = weights_of_pass(product, pass, load(panel + v * LANES));
            CETNET_UNROLL
            for (int i = 0; i < rows; i++) {
                const vfloat x = activations_of_pass(product, pass, splat(row_element(a, &strides, i)));
                CETNET_UNROLL
                for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(product, x, b[v], sums[i][v]);
            }
        }
        panel += vectors * LANES;
        a++;
    }
    if (IS_INT8(product)) {
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            // The row's scale lies behind its last word, the columns' scales and biases behind the panel's first row.
            const vfloat row_scale = splat(row_element(a, &strides, i));
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) {
                const float *scale = tile->panel + (vectors + v) * LANES, *bias = scale + vectors * LANES;
                const vfloat sum = __builtin_convertvector((vint)sums[i][v], vfloat);
                sums[i][v] = sum * row_scale * load(scale) + load(bias);
            }
        }
    }
    if (tile->residual) {
        CETNET_UNROLL
        for (int i = 0; i < rows; i++) {
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) {
                sums[i][v] += load(tile->residual + i * tile->residual_stride + v * LANES);
            }
        }
    }
    CETNET_UNROLL
    for (int i = 0; i < rows; i++) {
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) store(tile->c + i * tile->c_stride + v * LANES, sums[i][v]);
    }
}

typedef void (*tile_kernel)(const gemm_tile *);

// For each product a function per height and number of vectors, and the table of them, by both less one.
#define CETNET_TILE(product, rows)                                                                                     \
    static __attribute__((noinline)) void compute_##product##_##rows##_1(const gemm_tile *tile) {                      \
        compute_tile(product, rows, 1, tile);                                                                          \
    }                                                                                                                  \
    static __attribute__((noinline)) void compute_##product##_##rows##_2(const gemm_tile *tile) {                      \
        compute_tile(product, rows, 2, tile);                                                                          \
    }
#define CETNET_TILE_ENTRY(product, rows) {compute_##product##_##rows##_1, compute_##product##_##rows##_2},
#define CETNET_TILES(product)                                                                                          \
    CETNET_COUNT(CETNET_TILE_ROWS, CETNET_TILE, product)                                                               \
    static const tile_kernel product##_TILES[CETNET_TILE_ROWS][2] = {                                                  \
        CETNET_COUNT(CETNET_TILE_ROWS, CETNET_TILE_ENTRY, product)};

CETNET_TILES(FLOAT32)

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

static void finish_tile(
    int32_t activation, float *c, ptrdiff_t c_stride, const float *residual, ptrdiff_t residual_stride, ptrdiff_t rows,
    ptrdiff_t columns) {
    CETNET_WITH_ACTIVATION(activation, finish_rows, c, c_stride, residual, residual_stride, rows, columns)
}

/// Width of the panel that starts with `remaining` columns to go: two vectors, or one where that is enough.
CETNET_INLINE ptrdiff_t panel_width(ptrdiff_t remaining) { return remaining > LANES ? PANEL : LANES; }

/// - tile_rows: the highest tile to use.
/// - header: rows of a panel before its weights.
static void multiply_panels(
    const cetnet_gemm *g, const tile_kernel (*tile_kernels)[2], const ptrdiff_t tile_rows, const ptrdiff_t header) {
    // Tiles of even height: 49 rows become 13 + 12 + 12 + 12, not 14 + 14 + 14 + 7.
    const ptrdiff_t tiles = (g->rows + tile_rows - 1) / tile_rows;
    const ptrdiff_t least = g->rows / tiles, rest = g->rows % tiles;
    for (ptrdiff_t column = 0; column < g->columns; column += PANEL) {
        const float *panel = g->panels + column * (header + g->depth);
        const ptrdiff_t width = panel_width(g->columns - column);
        const ptrdiff_t columns = g->columns - column < width ? g->columns - column : width;
        // Weights come from memory, once per image. While the row tiles pass by this panel, each asks for its share of
        // the next one; behind the last panel lie the weights of the next layer.
        const char *ahead = (const char *)(panel + width * (header + g->depth));
        const ptrdiff_t ahead_step = (width * (ptrdiff_t)sizeof(float) + tiles - 1) / tiles;
        for (ptrdiff_t t = 0, row = 0, rows; t < tiles; t++, row += rows) {
            rows = least + (t < rest);
            const tile_kernel compute = tile_kernels[rows - 1][width / LANES - 1];
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
                .ahead = ahead + t * g->depth * ahead_step,
                .ahead_step = ahead_step,
            };
            const int direct = g->activation == CETNET_ACTIVATION_NONE;
            if (columns == width && (direct || !residual || g->residual_first)) {
                tile.residual = residual;
                tile.residual_stride = g->residual_stride;
                compute(&tile);
                if (!direct) finish_tile(g->activation, c, g->c_stride, 0, 0, rows, columns);
            } else {
                // Aside first: `c` may be too narrow for the tile, and the residual may be in it.
                float whole[CETNET_TILE_ROWS * PANEL] __attribute__((aligned(64)));
                tile.c = whole;
                tile.c_stride = PANEL;
                compute(&tile);
                if (residual && g->residual_first) {
                    finish_tile(CETNET_ACTIVATION_NONE, whole, PANEL, residual, g->residual_stride, rows, columns);
                }
                // The columns past the last are zeros: whole vectors are faster than exact ones.
                if (!direct) finish_tile(g->activation, whole, PANEL, 0, 0, rows, width);
                if (residual && !g->residual_first) {
                    finish_tile(CETNET_ACTIVATION_NONE, whole, PANEL, residual, g->residual_stride, rows, columns);
                }
                for (ptrdiff_t i = 0; i < rows; i++) copy_floats(c + i * g->c_stride, whole + i * PANEL, columns);
            }
        }
    }
}

static void gemm(const cetnet_gemm *g) { multiply_panels(g, FLOAT32_TILES, CETNET_TILE_ROWS, PANEL_HEADER(FLOAT32)); }

static void pack_panels(const cetnet_pack *p) {
    float *panel = p->panels;
    for (ptrdiff_t column = 0; column < p->columns; column += PANEL) {
        const ptrdiff_t width = panel_width(p->columns - column);
        for (ptrdiff_t j = 0; j < width; j++) {
            panel[j] = p->bias && column + j < p->columns ? p->bias[column + j] : 0;
        }
        panel += width;
        // Blocks of LANES × LANES are transposed in registers.
        for (ptrdiff_t half = 0; half < width; half += LANES) {
            const float *rows = p->weights + (column + half) * p->weights_stride;
            const ptrdiff_t valid = p->columns - column - half;
            vfloat column_scale = splat(1);
            if (p->column_scale) {
                const float *scale = p->column_scale + column + half;
                column_scale = valid >= LANES ? load(scale) : load_first(scale, valid > 0 ? valid : 0);
            }
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
                // Transposed, a row of the block is one position of depth and LANES columns.
                CETNET_UNROLL
                for (int j = 0; j < LANES; j++) {
                    vfloat v = block[j] * column_scale;
                    if (p->depth_scale) v *= splat(p->depth_scale[k + j]);
                    store(panel + (k + j) * width + half, v);
                }
            }
            for (; k < p->depth; k++) {
                vfloat v = splat(0);
                for (int j = 0; j < LANES; j++) {
                    if (j < valid) v[j] = rows[j * p->weights_stride + k];
                }
                v *= column_scale;
                if (p->depth_scale) v *= splat(p->depth_scale[k]);
                store(panel + k * width + half, v);
            }
        }
        panel += p->depth * width;
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
        const float *residual = e->residual ? e->residual + i * e->residual_stride : 0;
        if (residual && e->residual_first) {
            finish_tile(CETNET_ACTIVATION_NONE, row, e->c_stride, residual, e->residual_stride, 1, e->columns);
            residual = 0;
        }
        finish_tile(e->activation, row, e->c_stride, residual, e->residual_stride, 1, e->columns);
    }
}
