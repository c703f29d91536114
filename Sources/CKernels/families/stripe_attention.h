// Attention in a stripe with locally enhanced positional encoding; contract in ../include/stripe_attention.h.

static void stripe_attention(const cetnet_stripe_attention *s) {
    const ptrdiff_t tokens = s->breadth * s->length, dimension = s->dimension;
    float *queries = s->scratch;
    float *keys = queries + tokens * dimension;
    float *values = keys + tokens * dimension;
    float *packed_keys = values + tokens * dimension;
    float *packed_values = packed_keys + cetnet_packed_floats(tokens, dimension, PANEL);
    float *scores = packed_values + cetnet_packed_floats(dimension, tokens, PANEL);
    float *results = scores + cetnet_global_attention_scratch(tokens, PANEL, CETNET_TILE_ROWS);

    for (ptrdiff_t t = 0; t < tokens; t++) {
        const float *row = s->rows[t];
        copy_floats(queries + t * dimension, row + s->query_offset, dimension);
        copy_floats(keys + t * dimension, row + s->key_offset, dimension);
        copy_floats(values + t * dimension, row + s->value_offset, dimension);
    }
    const cetnet_pack pack_keys = {
        .weights = keys, .weights_stride = dimension, .columns = tokens, .depth = dimension, .panels = packed_keys};
    pack_panels(&pack_keys);
    const cetnet_pack_values pack = {
        .values = values,
        .values_stride = dimension,
        .keys = tokens,
        .dimension = dimension,
        .end = tokens,
        .panels = packed_values,
    };
    pack_values(&pack);
    // The keys are packed: their place takes lepe.
    float *lepe = keys;
    const cetnet_depthwise positions = {
        .x = values,
        .x_stride = dimension,
        .height = s->breadth,
        .width = s->length,
        .channels = dimension,
        .weights = s->lepe_weights,
        .bias = s->lepe_bias,
        .kernel = 3,
        .stride = 1,
        .padding = 1,
        .activation = CETNET_ACTIVATION_NONE,
        .end_row = s->breadth,
        .y = lepe,
        .y_stride = dimension,
        .output_width = s->length,
    };
    depthwise(&positions);

    const ptrdiff_t height = cetnet_score_rows(tokens, PANEL, CETNET_TILE_ROWS);
    const ptrdiff_t tiles = (tokens + height - 1) / height;
    for (ptrdiff_t tile = 0; tile < tiles; tile++) {
        const ptrdiff_t first = tile * tokens / tiles, rows = (tile + 1) * tokens / tiles - first;
        float inverses[CETNET_TILE_ROWS];
        attend(
            queries + first * dimension, dimension, rows, tokens, dimension, packed_keys, packed_values, scores,
            results, dimension, inverses);
        for (ptrdiff_t i = 0; i < rows; i++) {
            if (!s->outputs[first + i]) continue;
            float *out = s->outputs[first + i] + s->output_offset;
            const float *result = results + i * dimension, *position = lepe + (first + i) * dimension;
            const vfloat inverse = splat(inverses[i]);
            ptrdiff_t c = 0;
            for (; c + LANES <= dimension; c += LANES) store(out + c, load(result + c) * inverse + load(position + c));
            const ptrdiff_t rest = dimension - c;
            if (rest) {
                store_first(out + c, load_first(result + c, rest) * inverse + load_first(position + c, rest), rest);
            }
        }
    }
}
