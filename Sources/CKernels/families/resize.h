// Resampling of 8-bit images; contracts in ../include/resize.h.
//
// Along the rows, neighbouring outputs share no layout that a vector could use: pixels are three bytes wide and every
// output has its own weights. So 16 rows are taken at once and transposed; then a vector holds one byte of 16 rows,
// and a weight is the same for all of its lanes.

typedef uint8_t bytes16 __attribute__((ext_vector_type(16)));
typedef bytes16 bytes16_unaligned __attribute__((aligned(1)));
typedef int32_t ints16 __attribute__((ext_vector_type(16)));

/// Interleaves the bytes of 16 vectors until vector i holds byte i of each: four rounds of pairing the first half
/// with the second.
CETNET_INLINE void transpose_bytes(bytes16 v[16]) {
    for (int round = 0; round < 4; round++) {
        bytes16 next[16];
        for (int i = 0; i < 8; i++) {
            const bytes16 a = v[i], b = v[i + 8];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < 16; i++) v[i] = next[i];
    }
}

/// tile[b][lane] = rows[lane][b] for b < count; the tile is written in whole blocks of 16.
static void gather_rows(const uint8_t *const rows[16], ptrdiff_t count, bytes16 *tile) {
    ptrdiff_t b = 0;
    for (; b + 16 <= count; b += 16) {
        bytes16 v[16];
        for (int i = 0; i < 16; i++) v[i] = *(const bytes16_unaligned *)(rows[i] + b);
        transpose_bytes(v);
        for (int i = 0; i < 16; i++) tile[b + i] = v[i];
    }
    if (b < count) {
        bytes16 v[16] = {0};
        for (int i = 0; i < 16; i++) memcpy(&v[i], rows[i] + b, (size_t)(count - b));
        transpose_bytes(v);
        for (int i = 0; i < 16; i++) tile[b + i] = v[i];
    }
}

/// rows[lane][b] = tile[b][lane] for b < count and lane < lanes; the tile is read in whole blocks of 16.
static void scatter_rows(
    const bytes16 *tile, ptrdiff_t count, uint8_t *out, ptrdiff_t stride, ptrdiff_t lanes) {
    for (ptrdiff_t b = 0; b < count; b += 16) {
        bytes16 v[16];
        for (int i = 0; i < 16; i++) v[i] = tile[b + i];
        transpose_bytes(v);
        const size_t bytes = count - b < 16 ? (size_t)(count - b) : 16;
        for (ptrdiff_t i = 0; i < lanes; i++) {
            if (bytes == 16) {
                *(bytes16_unaligned *)(out + i * stride + b) = v[i];
            } else {
                memcpy(out + i * stride + b, &v[i], bytes);
            }
        }
    }
}

#define CETNET_HALF (1 << (CETNET_RESIZE_WEIGHT_BITS - 1))
#define CETNET_WIDEN(bytes) __builtin_convertvector(bytes, ints16)
#define CETNET_BETWEEN(low, x, high) __builtin_elementwise_min(__builtin_elementwise_max(x, low), high)
#define CETNET_CLIP(sum)                                                                                               \
    __builtin_convertvector(CETNET_BETWEEN((ints16)0, (sum) >> CETNET_RESIZE_WEIGHT_BITS, (ints16)255), bytes16)

static void resize_rows(const cetnet_resize_rows *a) {
    // Columns of one block of output; with the tile it stays in the first-level cache.
    enum { BLOCK = 128 };
    bytes16 results[BLOCK * 3 + 16];
    bytes16 *const tile = (bytes16 *)a->tile;
    const ptrdiff_t o0 = a->channel_offsets[0], o1 = a->channel_offsets[1], o2 = a->channel_offsets[2];

    for (ptrdiff_t row = 0; row < a->rows; row += 16) {
        const ptrdiff_t lanes = a->rows - row < 16 ? a->rows - row : 16;
        for (ptrdiff_t x = 0, end = 0; x < a->columns; x = end) {
            // As many columns as their input pixels fit into the tile.
            const ptrdiff_t begin = a->firsts[x];
            end = x + 1;
            while (end < a->columns && end - x < BLOCK
                   && a->firsts[end] + a->counts[end] - begin <= a->tile_pixels) {
                end++;
            }
            const ptrdiff_t pixels = a->firsts[end - 1] + a->counts[end - 1] - begin;

            // Lanes behind the last row repeat it; nothing of them is stored.
            const uint8_t *in[16];
            for (ptrdiff_t i = 0; i < 16; i++) {
                in[i] = a->in + (row + (i < lanes ? i : lanes - 1)) * a->in_stride + begin * a->pixel_bytes;
            }
            gather_rows(in, pixels * a->pixel_bytes, tile);

            bytes16 *result = results;
            for (ptrdiff_t i = x; i < end; i++) {
                const bytes16 *pixel = tile + (a->firsts[i] - begin) * a->pixel_bytes;
                const int32_t *weights = a->weights + i * a->taps;
                const ptrdiff_t count = a->counts[i];
                ints16 s0 = CETNET_HALF;
                if (a->channels == 3) {
                    ints16 s1 = CETNET_HALF, s2 = CETNET_HALF;
                    for (ptrdiff_t k = 0; k < count; k++, pixel += a->pixel_bytes) {
                        const ints16 w = weights[k];
                        s0 += w * CETNET_WIDEN(pixel[o0]);
                        s1 += w * CETNET_WIDEN(pixel[o1]);
                        s2 += w * CETNET_WIDEN(pixel[o2]);
                    }
                    result[0] = CETNET_CLIP(s0);
                    result[1] = CETNET_CLIP(s1);
                    result[2] = CETNET_CLIP(s2);
                    result += 3;
                } else {
                    for (ptrdiff_t k = 0; k < count; k++, pixel += a->pixel_bytes) {
                        s0 += (ints16)(weights[k]) * CETNET_WIDEN(pixel[o0]);
                    }
                    *result++ = CETNET_CLIP(s0);
                }
            }
            // The last block of 16 is read whole.
            for (int i = 0; i < 15; i++) result[i] = (bytes16)0;
            scatter_rows(
                results, (end - x) * a->channels, a->out + row * a->out_stride + x * a->channels, a->out_stride, lanes);
        }
    }
}

static void resize_columns(const cetnet_resize_columns *a) {
    for (ptrdiff_t y = 0; y < a->rows; y++) {
        const uint8_t *in = a->in + a->firsts[y] * a->in_stride;
        const int32_t *weights = a->weights + y * a->taps;
        const ptrdiff_t count = a->counts[y];
        uint8_t *out = a->out + y * a->out_stride;
        ptrdiff_t b = 0;
        for (; b + 64 <= a->row_bytes; b += 64) {
            ints16 s0 = CETNET_HALF, s1 = CETNET_HALF, s2 = CETNET_HALF, s3 = CETNET_HALF;
            const uint8_t *p = in + b;
            for (ptrdiff_t k = 0; k < count; k++, p += a->in_stride) {
                const ints16 w = weights[k];
                const bytes16_unaligned *v = (const bytes16_unaligned *)p;
                s0 += w * CETNET_WIDEN(v[0]);
                s1 += w * CETNET_WIDEN(v[1]);
                s2 += w * CETNET_WIDEN(v[2]);
                s3 += w * CETNET_WIDEN(v[3]);
            }
            bytes16_unaligned *o = (bytes16_unaligned *)(out + b);
            o[0] = CETNET_CLIP(s0);
            o[1] = CETNET_CLIP(s1);
            o[2] = CETNET_CLIP(s2);
            o[3] = CETNET_CLIP(s3);
        }
        for (; b < a->row_bytes; b += 16) {
            const size_t bytes = a->row_bytes - b < 16 ? (size_t)(a->row_bytes - b) : 16;
            ints16 sum = CETNET_HALF;
            for (ptrdiff_t k = 0; k < count; k++) {
                bytes16 v = 0;
                memcpy(&v, in + k * a->in_stride + b, bytes);
                sum += (ints16)(weights[k]) * CETNET_WIDEN(v);
            }
            const bytes16 clipped = CETNET_CLIP(sum);
            memcpy(out + b, &clipped, bytes);
        }
    }
}

static void pixels_to_planes(const cetnet_pixels_to_planes *a) {
    const float *t0 = a->tables, *t1 = t0 + 256, *t2 = t1 + 256;
    float *y0 = a->y, *y1 = y0 + a->plane, *y2 = y1 + a->plane;
    const ptrdiff_t step = a->channels, o1 = step == 3 ? 1 : 0, o2 = step == 3 ? 2 : 0;
    const uint8_t *x = a->x;
    for (ptrdiff_t i = 0; i < a->count; i++, x += step) {
        y0[i] = t0[x[0]];
        y1[i] = t1[x[o1]];
        y2[i] = t2[x[o2]];
    }
}

#undef CETNET_HALF
#undef CETNET_WIDEN
#undef CETNET_BETWEEN
#undef CETNET_CLIP
