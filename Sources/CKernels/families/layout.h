// Data movement that gains from vectors; contracts in ../include/layout.h.

static void im2col(const cetnet_im2col *m) {
    const ptrdiff_t run = m->kernel * m->channels;
    for (ptrdiff_t i = 0; i < m->count; i++) {
        const ptrdiff_t position = m->first + i;
        const ptrdiff_t top = position / m->output_width * m->stride - m->padding;
        const ptrdiff_t left = position % m->output_width * m->stride - m->padding;
        // Filter columns [from, to) are inside of the map; they are contiguous there and in the result.
        const ptrdiff_t from = left < 0 ? -left : 0;
        const ptrdiff_t to = left + m->kernel > m->width ? m->width - left : m->kernel;
        float *out = m->columns + i * m->columns_stride;
        for (ptrdiff_t k = 0; k < m->kernel; k++, out += run) {
            const ptrdiff_t row = top + k;
            if (row < 0 || row >= m->height || to <= from) {
                memset(out, 0, (size_t)run * sizeof(float));
                continue;
            }
            if (from > 0) memset(out, 0, (size_t)(from * m->channels) * sizeof(float));
            copy_floats(
                out + from * m->channels, m->x + (row * m->width + left + from) * m->channels,
                (to - from) * m->channels);
            if (to < m->kernel) {
                memset(out + to * m->channels, 0, (size_t)((m->kernel - to) * m->channels) * sizeof(float));
            }
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
