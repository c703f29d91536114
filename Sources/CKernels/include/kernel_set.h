#pragma once
// One table of kernels per instruction-set tier, and the choice among them.
//
// Every family of kernels is written once, over vectors of `lanes` floats (see ../simd/), and compiled once per tier.
// A tier therefore computes the same formula for bodies and tails, and its results do not depend on how work is cut
// into calls: each output element is one chain of operations in a fixed order.

#include <stddef.h>
#include <stdint.h>

#define CETNET_CONTRACTS
#include "../families/families.inc"
#undef CETNET_CONTRACTS

typedef struct cetnet_kernel_set {
    /// That of a row of tiers/tiers.h, for instance "avx2".
    const char *name;
    /// Whether this processor, and the operating system, which must save the wide registers, can run it.
    int (*is_usable)(void);
    /// Floats in one vector.
    int32_t lanes;
    /// Rows of the largest tile that the GEMM keeps in registers.
    int32_t tile_rows;
    /// Columns of a packed panel of weights.
    int32_t panel_columns;
    /// Whether this processor has instructions for products of bfloat16 pairs and of 8-bit integers in this tier's
    /// vectors. Without them the same numbers are computed with wider ones, more slowly.
    int (*has_bfloat16_products)(void);
    int (*has_int8_products)(void);
    /// What computes those products on this processor, for people.
    const char *(*bfloat16_instructions)(void);
    const char *(*int8_instructions)(void);

#define CETNET_FAMILY(kernel, arguments) void (*kernel)(arguments *);
#include "../families/families.inc"
#undef CETNET_FAMILY
} cetnet_kernel_set;

/// The tiers of this build, best first; `index` runs from 0 until the result is NULL. The last is "portable", which
/// every processor can run.
const cetnet_kernel_set *cetnet_known_kernel_set(int32_t index);

/// The names of all families, which are those of the table's members; NULL after the last.
const char *cetnet_kernel_family(int32_t index);
