#pragma once
// The pointwise non-linearities that kernels can apply to what they store: one row each. A row gives the numbers below,
// a case in every kernel that takes an activation, and a function v… of simd/functions.h.

/// Calls `X(NAME, function, …)` for each; `identity` is none.
#define CETNET_ACTIVATIONS(X, ...)                                                                                     \
    X(NONE, identity, __VA_ARGS__)                                                                                     \
    X(GELU, gelu, __VA_ARGS__)              /* x · Φ(x), exact form */                                                 \
    X(QUICK_GELU, quick_gelu, __VA_ARGS__)  /* x · sigmoid(1.702 x) */                                                 \
    X(RELU, relu, __VA_ARGS__)              /* max(x, 0) */                                                            \
    X(SIGMOID, sigmoid, __VA_ARGS__)        /* 1 / (1 + exp(−x)) */

/// CETNET_ACTIVATION_NONE = 0, CETNET_ACTIVATION_GELU = 1, …
#define CETNET_ACTIVATION_NUMBER(name, function, ...) CETNET_ACTIVATION_##name,
enum { CETNET_ACTIVATIONS(CETNET_ACTIVATION_NUMBER) CETNET_ACTIVATION_COUNT };
#undef CETNET_ACTIVATION_NUMBER
