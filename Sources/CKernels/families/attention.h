// Attention of one head in one window, of any size; contract in ../include/attention.h.

static void window_attention(const cetnet_window_attention *w) {
    if (attend_window(w)) return;
    const ptrdiff_t tokens = w->tokens, dimension = w->head_dimension;
    float *queries = w->scratch;
    float *keys = queries + tokens * dimension;
    float *packed_keys = keys + tokens * dimension;
    float *packed_values = packed_keys + cetnet_packed_floats(tokens, dimension, PANEL);
    float *scores = packed_values + cetnet_packed_floats(dimension, tokens, PANEL);

    for (ptrdiff_t t = 0; t < tokens; t++) {
        const float *row = w->rows[t];
        copy_floats(queries + t * dimension, row + w->query_offset, dimension);
        copy_floats(keys + t * dimension, row + w->key_offset, dimension);
    }
    const cetnet_pack pack = {
        .weights = keys, .weights_stride = dimension, .columns = tokens, .depth = dimension, .panels = packed_keys};
    pack_panels(&pack);
    // Values are already in the panels' order, a token after the other: Σ over tokens of probability · value.
    for (ptrdiff_t channel = 0; channel < dimension; channel += PANEL) {
        float *panel = packed_values + cetnet_panel_offset(channel, tokens);
        const ptrdiff_t width = panel_width(dimension - channel);
        const ptrdiff_t count = dimension - channel < width ? dimension - channel : width;
        zero_floats(panel, width);
        for (ptrdiff_t t = 0; t < tokens; t++) {
            panel += width;
            copy_floats(panel, w->rows[t] + w->value_offset + channel, count);
            for (ptrdiff_t c = count; c < width; c++) panel[c] = 0;
        }
    }

    // One register tile of queries at a time, so that scores and probabilities stay in the first-level cache.
    const ptrdiff_t tiles = (tokens + CETNET_TILE_ROWS - 1) / CETNET_TILE_ROWS;
    for (ptrdiff_t tile = 0; tile < tiles; tile++) {
        const ptrdiff_t first = tile * tokens / tiles, rows = (tile + 1) * tokens / tiles - first;
        const cetnet_gemm score = {
            .a = queries + first * dimension,
            .a_stride = dimension,
            .panels = packed_keys,
            .rows = rows,
            .columns = w->score_stride,
            .depth = dimension,
            .initial = w->bias + first * w->score_stride,
            .initial_stride = w->score_stride,
            .c = scores,
            .c_stride = w->score_stride,
        };
        gemm(&score);
        const cetnet_softmax normalise = {
            .scores = scores,
            .stride = w->score_stride,
            .rows = rows,
            .columns = tokens,
            .mask = w->mask ? w->mask + first * w->score_stride : 0,
            .mask_stride = w->score_stride,
        };
        softmax(&normalise);
        // These queries are used up: their place takes the results.
        const cetnet_gemm result = {
            .a = scores,
            .a_stride = w->score_stride,
            .panels = packed_values,
            .rows = rows,
            .columns = dimension,
            .depth = tokens,
            .c = queries + first * dimension,
            .c_stride = dimension,
        };
        gemm(&result);
    }
    for (ptrdiff_t t = 0; t < tokens; t++) {
        if (w->outputs[t]) copy_floats(w->outputs[t] + w->output_offset, queries + t * dimension, dimension);
    }
}
