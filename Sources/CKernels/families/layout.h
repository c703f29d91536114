// Data movement that gains from vectors; contracts in ../include/layout.h.

static void im2col(const cetnet_im2col *m) {
    const ptrdiff_t run = m->kernel * m->channels;
    ptrdiff_t output_row = m->first / m->output_width, output_column = m->first % m->output_width;
    for (ptrdiff_t i = 0; i < m->count; i++) {
        const ptrdiff_t top = output_row * m->stride - m->padding;
        const ptrdiff_t left = output_column * m->stride - m->padding;
        float *out = m->columns + i * m->columns_stride;
        if (top >= 0 && left >= 0 && top + m->kernel <= m->height && left + m->kernel <= m->width) {
            const float *x = m->x + (top * m->width + left) * m->channels;
            for (ptrdiff_t k = 0; k < m->kernel; k++) copy_floats(out + k * run, x + k * m->width * m->channels, run);
        } else {
            // Filter columns [from, to) are inside of the map; they are contiguous there and in the result.
            const ptrdiff_t from = left < 0 ? -left : 0;
            const ptrdiff_t to = left + m->kernel > m->width ? m->width - left : m->kernel;
            for (ptrdiff_t k = 0; k < m->kernel; k++, out += run) {
                const ptrdiff_t row = top + k;
                if (row < 0 || row >= m->height || to <= from) {
                    zero_floats(out, run);
                    continue;
                }
                zero_floats(out, from * m->channels);
                copy_floats(
                    out + from * m->channels, m->x + (row * m->width + left + from) * m->channels,
                    (to - from) * m->channels);
                zero_floats(out + to * m->channels, (m->kernel - to) * m->channels);
            }
        }
        if (++output_column == m->output_width) {
            output_column = 0;
            output_row++;
        }
    }
}

static void mean_rows(const cetnet_mean_rows *m) {
    const float scale = 1.0f / (float)m->rows;
    for (ptrdiff_t c = 0; c < m->channels; c += LANES) {
        const ptrdiff_t count = m->channels - c;
        vfloat sum = splat(0);
        for (ptrdiff_t i = 0; i < m->rows; i++) {
            const float *x = m->x + i * m->channels + c;
            sum += count >= LANES ? load(x) : load_first(x, count);
        }
        sum *= splat(scale);
        if (count >= LANES) {
            store(m->mean + c, sum);
        } else {
            store_first(m->mean + c, sum, count);
        }
    }
}
