// Winograd's transforms; contracts in ../include/winograd.h.

/// The first `count` lanes, or all if there are as many.
CETNET_INLINE vfloat load_up_to(const float *p, ptrdiff_t count) {
    return count >= LANES ? load(p) : load_first(p, count);
}

CETNET_INLINE void store_up_to(float *p, vfloat v, ptrdiff_t count) {
    if (count >= LANES) {
        store(p, v);
    } else {
        store_first(p, v, count);
    }
}

/// One vector of channels of a tile, whose first position is (top, left).
CETNET_INLINE void transform_input(
    const cetnet_winograd_input *m, ptrdiff_t top, ptrdiff_t left, const int is_inside, ptrdiff_t channel,
    ptrdiff_t count, float *y) {
    vfloat d[4][4], t[4][4];
    CETNET_UNROLL
    for (int i = 0; i < 4; i++) {
        CETNET_UNROLL
        for (int j = 0; j < 4; j++) {
            const ptrdiff_t row = top + i, column = left + j;
            d[i][j] = is_inside || (row >= 0 && row < m->height && column >= 0 && column < m->width)
                ? load_up_to(m->x + (row * m->width + column) * m->x_stride + channel, count)
                : splat(0);
        }
    }
    CETNET_UNROLL
    for (int j = 0; j < 4; j++) {
        t[0][j] = d[0][j] - d[2][j];
        t[1][j] = d[1][j] + d[2][j];
        t[2][j] = d[2][j] - d[1][j];
        t[3][j] = d[1][j] - d[3][j];
    }
    CETNET_UNROLL
    for (int i = 0; i < 4; i++) {
        float *to = y + 4 * i * m->matrix_stride + channel;
        store_up_to(to, t[i][0] - t[i][2], count);
        store_up_to(to + m->matrix_stride, t[i][1] + t[i][2], count);
        store_up_to(to + 2 * m->matrix_stride, t[i][2] - t[i][1], count);
        store_up_to(to + 3 * m->matrix_stride, t[i][1] - t[i][3], count);
    }
}

CETNET_INLINE void transform_input_tile(
    const cetnet_winograd_input *m, ptrdiff_t top, ptrdiff_t left, const int is_inside, float *y) {
    ptrdiff_t c = 0;
    for (; c + LANES <= m->channels; c += LANES) transform_input(m, top, left, is_inside, c, LANES, y);
    if (c < m->channels) transform_input(m, top, left, is_inside, c, m->channels - c, y);
}

static void winograd_input(const cetnet_winograd_input *m) {
    float *y = m->y;
    for (ptrdiff_t row = 0; row < m->rows; row++) {
        for (ptrdiff_t column = 0; column < m->columns; column++, y += m->y_stride) {
            const ptrdiff_t top = 2 * (m->first_row + row) - 1, left = 2 * (m->first_column + column) - 1;
            if (top >= 0 && left >= 0 && top + 4 <= m->height && left + 4 <= m->width) {
                transform_input_tile(m, top, left, 1, y);
            } else {
                transform_input_tile(m, top, left, 0, y);
            }
        }
    }
}

/// One vector of channels of a tile, of which `rows` × `columns` outputs are there.
CETNET_INLINE void transform_output(
    const int32_t activation, const cetnet_winograd_output *m, const float *x, ptrdiff_t rows, ptrdiff_t columns,
    ptrdiff_t channel, ptrdiff_t count, const float *residual, float *y) {
    vfloat t[2][4];
    CETNET_UNROLL
    for (int j = 0; j < 4; j++) {
        const float *p = x + j * m->matrix_stride + channel;
        const ptrdiff_t next = 4 * m->matrix_stride;
        const vfloat m0 = load_up_to(p, count), m1 = load_up_to(p + next, count);
        const vfloat m2 = load_up_to(p + 2 * next, count), m3 = load_up_to(p + 3 * next, count);
        t[0][j] = m0 + m1 + m2;
        t[1][j] = m1 - m2 - m3;
    }
    const vfloat bias = load_up_to(m->bias + channel, count);
    CETNET_UNROLL
    for (int i = 0; i < 2; i++) {
        const vfloat sums[2] = {t[i][0] + t[i][1] + t[i][2] + bias, t[i][1] - t[i][2] - t[i][3] + bias};
        CETNET_UNROLL
        for (int j = 0; j < 2; j++) {
            if (i >= rows || j >= columns) continue;
            vfloat v = sums[j];
            if (residual) {
                const vfloat r =
                    load_up_to(residual + i * m->residual_row_stride + j * m->residual_stride + channel, count);
                v = m->residual_first ? activate(activation, v + r) : activate(activation, v) + r;
            } else {
                v = activate(activation, v);
            }
            store_up_to(y + i * m->y_row_stride + j * m->y_stride + channel, v, count);
        }
    }
}

CETNET_INLINE void transform_output_tiles(const int32_t activation, const cetnet_winograd_output *m) {
    const float *x = m->x;
    for (ptrdiff_t row = 0; row < m->rows; row += 2) {
        for (ptrdiff_t column = 0; column < m->columns; column += 2, x += m->x_stride) {
            const ptrdiff_t rows = m->rows - row, columns = m->columns - column;
            float *y = m->y + row * m->y_row_stride + column * m->y_stride;
            const float *residual =
                m->residual ? m->residual + row * m->residual_row_stride + column * m->residual_stride : 0;
            ptrdiff_t c = 0;
            for (; c + LANES <= m->channels; c += LANES) {
                transform_output(activation, m, x, rows, columns, c, LANES, residual, y);
            }
            if (c < m->channels) {
                transform_output(activation, m, x, rows, columns, c, m->channels - c, residual, y);
            }
        }
    }
}

static void winograd_output(const cetnet_winograd_output *m) {
    CETNET_WITH_ACTIVATION(m->activation, transform_output_tiles, m)
}
