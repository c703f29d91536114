// What a step of depth of a matrix product is, in each precision: words of 32 bits times words, added to sums.
//
//   FLOAT32   a word is one float32
//   BFLOAT16  two bfloat16, the element with the even index in the lower half. The odd elements are multiplied first,
//             then the even ones, one fused multiply-add each: the order of vdpbf16ps.
//   INT8      four integers of 8 bits, those of activations unsigned, those of weights signed; sums are int32, exact
//
// The …_WIDENED ones compute the same numbers without an instruction for it, in several passes over parts of the words.
// (A product of two bfloat16 is exact in float32, so multiplying and adding in two instructions rounds no differently.)

enum { FLOAT32, BFLOAT16, BFLOAT16_WIDENED, INT8, INT8_WIDENED };

#define IS_INT8(product) ((product) == INT8 || (product) == INT8_WIDENED)
/// Rows of a panel before its weights: a bias; for int8 what sums start from, scales, and biases.
#define PANEL_HEADER(product) (IS_INT8(product) ? 3 : 1)
#define INT8_PARTS (LANES == 4 ? 4 : 2)
/// Rows of a tile. Of AVX2's 16 registers, unpacking int8 leaves ten for sums.
#define PRODUCT_TILE_ROWS(product) ((product) == INT8_WIDENED && LANES == 8 ? 5 : CETNET_TILE_ROWS)
#define PRODUCT_PASSES(product) ((product) == BFLOAT16_WIDENED ? 2 : (product) == INT8_WIDENED ? INT8_PARTS : 1)

// Instructions beyond those that a tier's processors all have, asked for when a product is computed. They are assembly
// because the compiler would not inline functions with other targets than the tile that they are for.
#if defined(__x86_64__) && CETNET_LANES == 16
#define CETNET_BFLOAT16_INSTRUCTIONS "avx512bf16"
#define CETNET_INT8_INSTRUCTIONS "avx512vnni"
#define CETNET_INT8_PREFIX ""
#elif defined(__x86_64__) && CETNET_LANES == 8
#define CETNET_INT8_INSTRUCTIONS "avxvnni"
#define CETNET_INT8_PREFIX "%{vex%} "
#endif

static int has_bfloat16_products(void) {
#ifdef CETNET_BFLOAT16_INSTRUCTIONS
    return __builtin_cpu_supports(CETNET_BFLOAT16_INSTRUCTIONS);
#else
    return 0;
#endif
}

static int has_int8_products(void) {
#ifdef CETNET_INT8_INSTRUCTIONS
    return __builtin_cpu_supports(CETNET_INT8_INSTRUCTIONS);
#else
    return 0;
#endif
}

/// What computes the products, as processors' manuals call it.
static const char *bfloat16_instructions(void) { return has_bfloat16_products() ? "AVX512_BF16" : "float32 products"; }

static const char *int8_instructions(void) {
#if defined(__x86_64__) && CETNET_LANES == 16
    return has_int8_products() ? "AVX-512 VNNI" : "AVX-512 16-bit products";
#elif defined(__x86_64__) && CETNET_LANES == 8
    return has_int8_products() ? "AVX-VNNI" : "AVX2 16-bit products";
#else
    return "32-bit products";
#endif
}

typedef int16_t vshort __attribute__((ext_vector_type(2 * CETNET_LANES)));
typedef uint16_t vushort __attribute__((ext_vector_type(2 * CETNET_LANES)));
typedef uint32_t vuint __attribute__((ext_vector_type(CETNET_LANES)));

CETNET_INLINE vfloat bfloat16_part(const int pass, vfloat words) {
    return pass == 0 ? (vfloat)((vint)words & (vint)(int32_t)0xffff0000) : (vfloat)((vint)words << 16);
}

/// The part of activations that is multiplied in a pass.
CETNET_INLINE vfloat activations_of_pass(const int product, const int pass, vfloat words) {
    switch (product) {
    case BFLOAT16_WIDENED: return bfloat16_part(pass, words);
    case INT8_WIDENED:
#if CETNET_LANES == 4
        return (vfloat)((vuint)words >> (uint32_t)(8 * pass) & 255);
#else
        return pass == 0 ? (vfloat)((vint)words & 0x00ff00ff) : (vfloat)((vushort)words >> 8);
#endif
    default: return words;
    }
}

/// The part of weights that is multiplied in a pass.
CETNET_INLINE vfloat weights_of_pass(const int product, const int pass, vfloat words) {
    switch (product) {
    case BFLOAT16_WIDENED: return bfloat16_part(pass, words);
    case INT8_WIDENED:
#if CETNET_LANES == 4
        return (vfloat)((vint)words << (24 - 8 * pass) >> 24);
#else
        return (vfloat)((pass == 0 ? (vshort)words << 8 : (vshort)words) >> 8);
#endif
    default: return words;
    }
}

/// sum + x · b
CETNET_INLINE vfloat multiply_add(const int product, vfloat x, vfloat b, vfloat sum) {
    switch (product) {
#ifdef CETNET_BFLOAT16_INSTRUCTIONS
    case BFLOAT16:
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(b));
        return sum;
#endif
#ifdef CETNET_INT8_INSTRUCTIONS
    case INT8:
        __asm__(CETNET_INT8_PREFIX "vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(b));
        return sum;
#endif
    case INT8_WIDENED:
#if defined(__x86_64__) && CETNET_LANES == 16
        return (vfloat)((vuint)sum + (vuint)_mm512_madd_epi16((__m512i)x, (__m512i)b));
#elif defined(__x86_64__) && CETNET_LANES == 8
        return (vfloat)((vuint)sum + (vuint)_mm256_madd_epi16((__m256i)x, (__m256i)b));
#else
        return (vfloat)((vuint)sum + (vuint)x * (vuint)b);
#endif
    default: return x * b + sum;
    }
}
