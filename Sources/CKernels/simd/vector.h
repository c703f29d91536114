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

typedef float vfloat __attribute__((ext_vector_type(CETNET_LANES)));
typedef int32_t vint __attribute__((ext_vector_type(CETNET_LANES)));
typedef vfloat vfloat_unaligned __attribute__((aligned(4)));

enum { LANES = CETNET_LANES, PANEL = 2 * CETNET_LANES };

CETNET_INLINE vfloat load(const float *p) { return *(const vfloat_unaligned *)p; }
CETNET_INLINE void store(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
CETNET_INLINE vfloat splat(float x) { return (vfloat)(x); }

/// The first `count` < LANES floats, then zeros; reads nothing behind them.
CETNET_INLINE vfloat load_first(const float *p, ptrdiff_t count) {
    float lanes[LANES] __attribute__((aligned(64))) = {0};
    memcpy(lanes, p, (size_t)count * sizeof(float));
    return *(const vfloat *)lanes;
}

/// Stores the first `count` < LANES floats and nothing behind them.
CETNET_INLINE void store_first(float *p, vfloat v, ptrdiff_t count) {
    float lanes[LANES] __attribute__((aligned(64)));
    *(vfloat *)lanes = v;
    memcpy(p, lanes, (size_t)count * sizeof(float));
}

CETNET_INLINE vfloat vmin(vfloat a, vfloat b) { return __builtin_elementwise_min(a, b); }
CETNET_INLINE vfloat vmax(vfloat a, vfloat b) { return __builtin_elementwise_max(a, b); }

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
    CETNET_REDUCE(v, __builtin_elementwise_max)
    return v2.x > v2.y ? v2.x : v2.y;
}

/// Transposes LANES vectors in place: log2(LANES) rounds of interleaving the first half with the second.
CETNET_INLINE void transpose(vfloat rows[LANES]) {
    CETNET_UNROLL
    for (int round = 1; round < LANES; round *= 2) {
        vfloat next[LANES];
        CETNET_UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            vfloat a = rows[i], b = rows[i + LANES / 2];
#if CETNET_LANES == 4
            next[2 * i] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#elif CETNET_LANES == 8
            next[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif CETNET_LANES == 16
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
#error "no transposition for this number of lanes"
#endif
        }
        CETNET_UNROLL
        for (int i = 0; i < LANES; i++) rows[i] = next[i];
    }
}
