// Data movement that gains from vectors; contracts in ../include/layout.h.

/// Copies `positions` positions side by side.
CETNET_INLINE void copy_positions(
    float *to, const float *from, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t positions) {
    if (stride == channels) {
        copy_floats(to, from, positions * channels);
    } else {
        for (ptrdiff_t p = 0; p < positions; p++) copy_floats(to + p * channels, from + p * stride, channels);
    }
}

static void im2col(const cetnet_im2col *m) {
    const ptrdiff_t run = m->kernel * m->channels, row_stride = m->width * m->x_stride;
    ptrdiff_t output_row = m->first / m->output_width, output_column = m->first % m->output_width;
    for (ptrdiff_t i = 0; i < m->count; i++) {
        const ptrdiff_t top = output_row * m->stride - m->padding;
        const ptrdiff_t left = output_column * m->stride - m->padding;
        float *out = m->columns + i * m->columns_stride;
        if (top >= 0 && left >= 0 && top + m->kernel <= m->height && left + m->kernel <= m->width) {
            const float *x = m->x + top * row_stride + left * m->x_stride;
            for (ptrdiff_t k = 0; k < m->kernel; k++) {
                copy_positions(out + k * run, x + k * row_stride, m->x_stride, m->channels, m->kernel);
            }
        } else {
            // Filter columns [from, to) are inside of the map; in the result they are contiguous.
            const ptrdiff_t from = left < 0 ? -left : 0;
            const ptrdiff_t to = left + m->kernel > m->width ? m->width - left : m->kernel;
            for (ptrdiff_t k = 0; k < m->kernel; k++, out += run) {
                const ptrdiff_t row = top + k;
                if (row < 0 || row >= m->height || to <= from) {
                    zero_floats(out, run);
                    continue;
                }
                zero_floats(out, from * m->channels);
                copy_positions(
                    out + from * m->channels, m->x + row * row_stride + (left + from) * m->x_stride, m->x_stride,
                    m->channels, to - from);
                zero_floats(out + to * m->channels, (m->kernel - to) * m->channels);
            }
        }
        if (++output_column == m->output_width) {
            output_column = 0;
            output_row++;
        }
    }
}

enum { MEAN_SUMS = 4 };

/// Channels [c, c + vectors · LANES), or the `count` first of them if that is fewer. Every MEAN_SUMS-th row goes to the
/// same sum: no addition waits for the one before, and rounding errors grow more slowly.
CETNET_INLINE void mean_columns(const cetnet_mean_rows *m, ptrdiff_t c, const int vectors, const ptrdiff_t count) {
    vfloat sums[MEAN_SUMS][2];
    CETNET_UNROLL
    for (int s = 0; s < MEAN_SUMS; s++) {
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) sums[s][v] = splat(0);
    }
    const float *x = m->x + c;
    ptrdiff_t row = 0;
    for (; row + MEAN_SUMS <= m->rows; row += MEAN_SUMS) {
        CETNET_UNROLL
        for (int s = 0; s < MEAN_SUMS; s++, x += m->x_stride) {
            CETNET_UNROLL
            for (int v = 0; v < vectors; v++) {
                sums[s][v] += count >= LANES ? load(x + v * LANES) : load_first(x, count);
            }
        }
    }
    CETNET_UNROLL
    for (int s = 0; s < MEAN_SUMS - 1; s++, row++, x += m->x_stride) {
        if (row == m->rows) break;
        CETNET_UNROLL
        for (int v = 0; v < vectors; v++) sums[s][v] += count >= LANES ? load(x + v * LANES) : load_first(x, count);
    }
    const vfloat scale = splat(1.0f / (float)m->rows);
    CETNET_UNROLL
    for (int v = 0; v < vectors; v++) {
        vfloat mean = ((sums[0][v] + sums[1][v]) + (sums[2][v] + sums[3][v])) * scale;
        if (count >= LANES) {
            store(m->mean + c + v * LANES, mean);
        } else {
            store_first(m->mean + c, mean, count);
        }
    }
}

static void mean_rows(const cetnet_mean_rows *m) {
    ptrdiff_t c = 0;
    for (; c + 2 * LANES <= m->channels; c += 2 * LANES) mean_columns(m, c, 2, LANES);
    for (; c < m->channels; c += LANES) mean_columns(m, c, 1, m->channels - c);
}

static void interleave(const cetnet_interleave *m) {
    for (ptrdiff_t row = 0; row < m->rows; row++) {
        const float *a = m->a + row * m->a_stride, *b = m->b + row * m->b_stride;
        float *y = m->y + row * m->y_stride;
        ptrdiff_t c = 0;
        for (; c + LANES <= m->channels; c += LANES) {
            vfloat low, high;
            interleave_vectors(load(a + c), load(b + c), &low, &high);
            store(y + 2 * c, low);
            store(y + 2 * c + LANES, high);
        }
        for (; c < m->channels; c++) {
            y[2 * c] = a[c];
            y[2 * c + 1] = b[c];
        }
    }
}
