#pragma once
// The most multiply-adds that a core can do: a loop that touches nothing but registers.
//
//   chain ← chain · multiplier + addend      for every lane of every chain, `rounds` times
//
// There are as many independent chains as the tier's GEMM keeps accumulators, enough to hide the latency of the
// multiply-add. Tiers without a fused multiply-add multiply and add.

#include <stddef.h>
#include <stdint.h>

typedef struct cetnet_peak {
    ptrdiff_t rounds;
    float multiplier;
    float addend;
    /// Receives the sum over all chains and lanes: chains · lanes · addend / (1 − multiplier) in the limit of many
    /// rounds.
    float sum;
    /// Receives chains · lanes, the multiply-adds of one round.
    int32_t per_round;
} cetnet_peak;
