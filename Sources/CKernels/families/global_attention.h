// Attention to all keys; contract in ../include/global_attention.h.

static void pack_values(const cetnet_pack_values *p) {
    for (ptrdiff_t channel = 0; channel < p->dimension; channel += PANEL) {
        float *panel = p->panels + cetnet_panel_offset(channel, p->keys);
        const ptrdiff_t width = panel_width(p->dimension - channel);
        const ptrdiff_t count = p->dimension - channel < width ? p->dimension - channel : width;
        // A panel starts with biases.
        if (p->first == 0) zero_floats(panel, width);
        for (ptrdiff_t j = p->first; j < p->end; j++) {
            float *row = panel + (j + 1) * width;
            copy_floats(row, p->values + j * p->values_stride + channel, count);
            for (ptrdiff_t c = count; c < width; c++) row[c] = 0;
        }
    }
}

/// The unnormalised results of some queries, as many as cetnet_score_rows at most: exp(Q·Kᵀ − max) · V, and the factors
/// that they have still to be multiplied by.
static void attend(
    const float *queries, ptrdiff_t queries_stride, ptrdiff_t rows, ptrdiff_t keys, ptrdiff_t dimension,
    const float *packed_keys, const float *packed_values, float *scores, float *out, ptrdiff_t out_stride,
    float inverses[CETNET_TILE_ROWS]) {
    const ptrdiff_t stride = cetnet_score_stride(keys, PANEL);
    const cetnet_gemm score = {
        .a = queries,
        .a_stride = queries_stride,
        .panels = packed_keys,
        .rows = rows,
        .columns = cetnet_packed_columns(keys, PANEL),
        .depth = dimension,
        .c = scores,
        .c_stride = stride,
    };
    gemm(&score);
    exponentials(scores, stride, rows, keys, inverses);
    const cetnet_gemm result = {
        .a = scores,
        .a_stride = stride,
        .panels = packed_values,
        .rows = rows,
        .columns = dimension,
        .depth = keys,
        .c = out,
        .c_stride = out_stride,
    };
    gemm(&result);
}

static void global_attention(const cetnet_global_attention *g) {
    const ptrdiff_t height = cetnet_score_rows(g->keys, PANEL, CETNET_TILE_ROWS);
    const ptrdiff_t tiles = (g->rows + height - 1) / height;
    for (ptrdiff_t tile = 0; tile < tiles; tile++) {
        const ptrdiff_t first = tile * g->rows / tiles, rows = (tile + 1) * g->rows / tiles - first;
        float inverses[CETNET_TILE_ROWS];
        float *out = g->out + first * g->out_stride;
        attend(
            g->queries + first * g->queries_stride, g->queries_stride, rows, g->keys, g->dimension, g->packed_keys,
            g->packed_values, g->scratch, out, g->out_stride, inverses);
        for (ptrdiff_t i = 0; i < rows; i++) {
            float *row = out + i * g->out_stride;
            const vfloat inverse = splat(inverses[i]);
            ptrdiff_t c = 0;
            for (; c + LANES <= g->dimension; c += LANES) store(row + c, load(row + c) * inverse);
            const ptrdiff_t rest = g->dimension - c;
            if (rest) store_first(row + c, load_first(row + c, rest) * inverse, rest);
        }
    }
}
