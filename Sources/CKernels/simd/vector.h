// Vectors of CETNET_LANES floats for one tier. Included once by each tiers/*.c, inside its target attribute.
//
// Only clang's vector extensions are used, so the same text serves SSE2, NEON, AVX2 and AVX-512. `a * b + c` in one
// expression contracts to a fused multiply-add where the tier has one.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CETNET_INLINE static inline __attribute__((always_inline))
#define CETNET_UNROLL _Pragma("clang loop unroll(full)")
#define CETNET_KEEP_LOOP _Pragma("clang loop unroll(disable)")

// X(…, 1) X(…, 2) … X(…, n) for a number n, for whatever there is one of per height of a tile.
#define CETNET_COUNT(n, X, ...) CETNET_COUNT_TO(n, X, __VA_ARGS__)
#define CETNET_COUNT_TO(n, X, ...) CETNET_COUNT_##n(X, __VA_ARGS__)
#define CETNET_COUNT_1(X, ...) X(__VA_ARGS__, 1)
#define CETNET_COUNT_2(X, ...) CETNET_COUNT_1(X, __VA_ARGS__) X(__VA_ARGS__, 2)
#define CETNET_COUNT_3(X, ...) CETNET_COUNT_2(X, __VA_ARGS__) X(__VA_ARGS__, 3)
#define CETNET_COUNT_4(X, ...) CETNET_COUNT_3(X, __VA_ARGS__) X(__VA_ARGS__, 4)
#define CETNET_COUNT_5(X, ...) CETNET_COUNT_4(X, __VA_ARGS__) X(__VA_ARGS__, 5)
#define CETNET_COUNT_6(X, ...) CETNET_COUNT_5(X, __VA_ARGS__) X(__VA_ARGS__, 6)
#define CETNET_COUNT_7(X, ...) CETNET_COUNT_6(X, __VA_ARGS__) X(__VA_ARGS__, 7)
#define CETNET_COUNT_8(X, ...) CETNET_COUNT_7(X, __VA_ARGS__) X(__VA_ARGS__, 8)
#define CETNET_COUNT_9(X, ...) CETNET_COUNT_8(X, __VA_ARGS__) X(__VA_ARGS__, 9)
#define CETNET_COUNT_10(X, ...) CETNET_COUNT_9(X, __VA_ARGS__) X(__VA_ARGS__, 10)
#define CETNET_COUNT_11(X, ...) CETNET_COUNT_10(X, __VA_ARGS__) X(__VA_ARGS__, 11)
#define CETNET_COUNT_12(X, ...) CETNET_COUNT_11(X, __VA_ARGS__) X(__VA_ARGS__, 12)
#define CETNET_COUNT_13(X, ...) CETNET_COUNT_12(X, __VA_ARGS__) X(__VA_ARGS__, 13)
#define CETNET_COUNT_14(X, ...) CETNET_COUNT_13(X, __VA_ARGS__) X(__VA_ARGS__, 14)

typedef float vfloat __attribute__((ext_vector_type(CETNET_LANES)));
typedef int32_t vint __attribute__((ext_vector_type(CETNET_LANES)));
typedef vfloat vfloat_unaligned __attribute__((aligned(4)));

enum { LANES = CETNET_LANES, PANEL = 2 * CETNET_LANES };

CETNET_INLINE vfloat load(const float *p) { return *(const vfloat_unaligned *)p; }
CETNET_INLINE void store(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
CETNET_INLINE vfloat splat(float x) { return (vfloat)(x); }

/// Copies `count` < LANES floats in pieces of 8, 4, 2 and 1: a call of memcpy would cost more than the copy.
CETNET_INLINE void copy_first(float *to, const float *from, ptrdiff_t count) {
#define CETNET_COPY_PIECE(n)                                                                                           \
    if (n < LANES && count & n) {                                                                                      \
        memcpy(to, from, n * sizeof(float));                                                                           \
        to += n;                                                                                                       \
        from += n;                                                                                                     \
    }
    CETNET_COPY_PIECE(8)
    CETNET_COPY_PIECE(4)
    CETNET_COPY_PIECE(2)
    CETNET_COPY_PIECE(1)
#undef CETNET_COPY_PIECE
}

CETNET_INLINE void copy_floats(float *to, const float *from, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(to + i, load(from + i));
    copy_first(to + i, from + i, count - i);
}

CETNET_INLINE void zero_floats(float *to, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(to + i, (vfloat)(0.0f));
    CETNET_KEEP_LOOP
    for (; i < count; i++) to[i] = 0;
}

/// The first `count` < LANES floats, then zeros; reads nothing behind them.
CETNET_INLINE vfloat load_first(const float *p, ptrdiff_t count) {
    float lanes[LANES] __attribute__((aligned(64))) = {0};
    copy_first(lanes, p, count);
    return *(const vfloat *)lanes;
}

/// Stores the first `count` < LANES floats and nothing behind them.
CETNET_INLINE void store_first(float *p, vfloat v, ptrdiff_t count) {
    float lanes[LANES] __attribute__((aligned(64)));
    *(vfloat *)lanes = v;
    copy_first(p, lanes, count);
}

// The smaller and the larger one; `a` if either is NaN. One instruction, where fmin and fmax take several.
#define CETNET_MIN(a, b) ((b) < (a) ? (b) : (a))
#define CETNET_MAX(a, b) ((b) > (a) ? (b) : (a))
CETNET_INLINE vfloat vmin(vfloat a, vfloat b) { return CETNET_MIN(a, b); }
CETNET_INLINE vfloat vmax(vfloat a, vfloat b) { return CETNET_MAX(a, b); }

// Reductions add the upper half to the lower one until one number is left: the same order for every call.
typedef float vfloat2 __attribute__((ext_vector_type(2)));
typedef float vfloat4 __attribute__((ext_vector_type(4)));
typedef float vfloat8 __attribute__((ext_vector_type(8)));
#if CETNET_LANES == 16
#define CETNET_REDUCE(v, combine)                                                                                      \
    vfloat8 v8 = combine((v).lo, (v).hi);                                                                              \
    vfloat4 v4 = combine(v8.lo, v8.hi);                                                                                \
    vfloat2 v2 = combine(v4.lo, v4.hi);
#elif CETNET_LANES == 8
#define CETNET_REDUCE(v, combine)                                                                                      \
    vfloat4 v4 = combine((v).lo, (v).hi);                                                                              \
    vfloat2 v2 = combine(v4.lo, v4.hi);
#else
#define CETNET_REDUCE(v, combine) vfloat2 v2 = combine((v).lo, (v).hi);
#endif
#define CETNET_SUM(a, b) ((a) + (b))

CETNET_INLINE float sum_lanes(vfloat v) {
    CETNET_REDUCE(v, CETNET_SUM)
    return v2.x + v2.y;
}

CETNET_INLINE float max_lanes(vfloat v) {
    CETNET_REDUCE(v, CETNET_MAX)
    return v2.x > v2.y ? v2.x : v2.y;
}

/// a0, b0, a1, b1, … in two vectors.
CETNET_INLINE void interleave_vectors(vfloat a, vfloat b, vfloat *low, vfloat *high) {
#if CETNET_LANES == 4
    *low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#elif CETNET_LANES == 8
    *low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif CETNET_LANES == 16
    *low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
#error "no interleaving for this number of lanes"
#endif
}

/// Transposes LANES vectors in place: log2(LANES) rounds of interleaving the first half with the second.
CETNET_INLINE void transpose(vfloat rows[LANES]) {
    CETNET_UNROLL
    for (int round = 1; round < LANES; round *= 2) {
        vfloat next[LANES];
        CETNET_UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            interleave_vectors(rows[i], rows[i + LANES / 2], &next[2 * i], &next[2 * i + 1]);
        }
        CETNET_UNROLL
        for (int i = 0; i < LANES; i++) rows[i] = next[i];
    }
}
