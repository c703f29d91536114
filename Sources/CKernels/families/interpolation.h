// Weighted sums of positions; contracts in ../include/interpolation.h.

enum { SUM_VECTORS = 4 };

static void weighted_sum(const cetnet_weighted_sum *s) {
    for (ptrdiff_t r = 0; r < s->rows; r++) {
        const ptrdiff_t row = r * s->x_stride;
        float *y = s->y + r * s->y_stride;
        ptrdiff_t c = 0;
        for (; c + SUM_VECTORS * LANES <= s->columns; c += SUM_VECTORS * LANES) {
            vfloat sums[SUM_VECTORS] = {splat(0), splat(0), splat(0), splat(0)};
            for (ptrdiff_t t = 0; t < s->terms; t++) {
                const vfloat weight = splat(s->weights[t]);
                const float *x = s->x[t] + row + c;
                CETNET_UNROLL
                for (int v = 0; v < SUM_VECTORS; v++) sums[v] = weight * load(x + v * LANES) + sums[v];
            }
            CETNET_UNROLL
            for (int v = 0; v < SUM_VECTORS; v++) store(y + c + v * LANES, sums[v]);
        }
        for (; c < s->columns; c += LANES) {
            const ptrdiff_t count = s->columns - c;
            vfloat sum = splat(0);
            for (ptrdiff_t t = 0; t < s->terms; t++) {
                sum = splat(s->weights[t]) * load_up_to(s->x[t] + row + c, count) + sum;
            }
            store_up_to(y + c, sum, count);
        }
    }
}

static void gathered_sum(const cetnet_gathered_sum *s) {
    for (ptrdiff_t i = 0; i < s->count; i++) {
        const int32_t *rows = s->rows + i * s->terms;
        const float *weights = s->weights + i * s->terms;
        float *y = s->y + i * s->y_stride;
        ptrdiff_t c = 0;
        for (; c + SUM_VECTORS * LANES <= s->columns; c += SUM_VECTORS * LANES) {
            vfloat sums[SUM_VECTORS];
            CETNET_UNROLL
            for (int v = 0; v < SUM_VECTORS; v++) sums[v] = s->accumulates ? load(y + c + v * LANES) : splat(0);
            for (ptrdiff_t t = 0; t < s->terms; t++) {
                const vfloat weight = splat(weights[t]);
                const float *x = s->x + rows[t] * s->x_stride + c;
                CETNET_UNROLL
                for (int v = 0; v < SUM_VECTORS; v++) sums[v] = weight * load(x + v * LANES) + sums[v];
            }
            CETNET_UNROLL
            for (int v = 0; v < SUM_VECTORS; v++) store(y + c + v * LANES, sums[v]);
        }
        for (; c < s->columns; c += LANES) {
            const ptrdiff_t count = s->columns - c;
            vfloat sum = s->accumulates ? load_up_to(y + c, count) : splat(0);
            for (ptrdiff_t t = 0; t < s->terms; t++) {
                sum = splat(weights[t]) * load_up_to(s->x + rows[t] * s->x_stride + c, count) + sum;
            }
            store_up_to(y + c, sum, count);
        }
    }
}

/// The largest so far in each lane, and which vector it came from: the number of its first lane's column.
typedef struct largest_lanes {
    vfloat values;
    vint columns;
} largest_lanes;

CETNET_INLINE largest_lanes larger_lanes(largest_lanes a, vfloat values, ptrdiff_t column) {
    const vint is_larger = values > a.values;
    return (largest_lanes){is_larger ? values : a.values, is_larger ? (vint)((int32_t)column) : a.columns};
}

static void largest(const cetnet_largest *s) {
    for (ptrdiff_t i = 0; i < s->count; i++) {
        const int32_t *rows = s->rows + i * s->terms;
        const float *weights = s->weights + i * s->terms;
        largest_lanes best = {splat(-__builtin_inff()), (vint)(0)};
        for (ptrdiff_t c = 0; c < s->columns; c += LANES) {
            // The last vector ends with the last column and begins with columns that were seen before, which changes
            // nothing; where there is no whole vector, zeros must not win.
            const ptrdiff_t left = s->columns - c;
            const ptrdiff_t first = left >= LANES ? c : s->columns >= LANES ? s->columns - LANES : 0;
            vfloat sum = splat(0);
            for (ptrdiff_t t = 0; t < s->terms; t++) {
                sum = splat(weights[t]) * load_up_to(s->x + rows[t] * s->x_stride + first, s->columns) + sum;
            }
            if (s->columns < LANES) {
                for (ptrdiff_t lane = s->columns; lane < LANES; lane++) sum[lane] = -__builtin_inff();
            }
            best = larger_lanes(best, sum, first);
        }
        float value = -__builtin_inff();
        int32_t label = 0;
        CETNET_UNROLL
        for (int lane = 0; lane < LANES; lane++) {
            const int32_t column = best.columns[lane] + lane;
            if (best.values[lane] > value || (best.values[lane] == value && value > -__builtin_inff() && column < label)) {
                value = best.values[lane];
                label = column;
            }
        }
        s->labels[i] = label;
    }
}
