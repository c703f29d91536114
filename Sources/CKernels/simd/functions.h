// Elementary functions on vectors. Accuracy is tested against double precision in Tests/KernelTests.

#include "../include/activation.h"

/// exp(x), relative error below 2 ulp, for −87 ≤ x ≤ 88 only.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 is split in two so that r is exact enough. exp(r) = 1 + r + r²·Q(r), Q a
/// minimax polynomial (fitted by iteratively reweighted least squares; error 3e-9).
CETNET_INLINE vfloat vexp_in_range(vfloat x) {
    // Adding 1.5 · 2^23 rounds to the nearest integer, which is then found in the low bits.
    const vfloat magic = splat(12582912.0f);
    vfloat shifted = x * splat(0x1.715476p+0f) + magic;
    vfloat n = shifted - magic;
    vfloat r = n * splat(-0x1.62e4p-1f) + x;
    r = n * splat(-0x1.7f7d1cp-20f) + r;
    vfloat q = splat(0x1.6a2352p-10f);
    q = q * r + splat(0x1.123a6cp-7f);
    q = q * r + splat(0x1.5558f4p-5f);
    q = q * r + splat(0x1.555490p-3f);
    q = q * r + splat(0x1.fffffcp-2f);
    vfloat y = (q * r) * r + r + splat(1.0f);
    // Casts between vectors of one size keep the bits.
    vint exponent = (vint)shifted << 23;
    return (vfloat)((vint)y + exponent);
}

/// exp(x), relative error below 2 ulp for −87 ≤ x ≤ 88; arguments outside are clamped to that range.
CETNET_INLINE vfloat vexp(vfloat x) { return vexp_in_range(vmin(vmax(x, splat(-87.0f)), splat(88.0f))); }

/// exp(x) for x ≤ 0, but 0 below −80, where the result does not count beside 1. Masked scores end there; their tiny
/// exponentials, divided by the sum, would be denormal numbers, on which processors are slow.
CETNET_INLINE vfloat vexp_or_zero(vfloat x) {
    vfloat e = vexp_in_range(x);
    return x < splat(-80.0f) ? splat(0) : e;  // NaN stays NaN
}

/// GELU(x) = x·Φ(x) = x/2 · (1 + erf(x/√2)), error below 2e-7 · max(1, |x|).
///
/// erf(t/√2) = t · P(t²)/Q(t²) with t = x clamped to ±5.4, where float32 erf has reached ±1. P and Q have degree 5,
/// fitted by iteratively reweighted least squares (error 1.1e-8 before rounding).
CETNET_INLINE vfloat vgelu(vfloat x) {
    vfloat t = vmin(vmax(x, splat(-5.4f)), splat(5.4f));
    vfloat u = t * t;
    vfloat p = splat(0x1.91c762p-25f);
    p = p * u + splat(0x1.aad04cp-17f);
    p = p * u + splat(0x1.589c1cp-12f);
    p = p * u + splat(0x1.30cc72p-7f);
    p = p * u + splat(0x1.1162e0p-4f);
    p = p * u + splat(0x1.988450p-1f);
    vfloat q = splat(0x1.46933cp-20f);
    q = q * u + splat(0x1.2fab6ap-14f);
    q = q * u + splat(0x1.e75290p-10f);
    q = q * u + splat(0x1.d0f51cp-6f);
    q = q * u + splat(0x1.005366p-2f);
    q = q * u + splat(1.0f);
    vfloat erf = (t * p) / q;
    vfloat half = x * splat(0.5f);
    return half * erf + half;
}

/// QuickGELU(x) = x · sigmoid(1.702 x).
CETNET_INLINE vfloat vquick_gelu(vfloat x) {
    return x / (splat(1.0f) + vexp(x * splat(-1.702f)));
}

CETNET_INLINE vfloat vrelu(vfloat x) { return vmax(x, splat(0)); }

CETNET_INLINE vfloat vsigmoid(vfloat x) { return splat(1.0f) / (splat(1.0f) + vexp(splat(0) - x)); }

CETNET_INLINE vfloat videntity(vfloat x) { return x; }

CETNET_INLINE vfloat activate(int32_t activation, vfloat x) {
#define CETNET_ACTIVATE(name, function, ...)                                                                           \
    case CETNET_ACTIVATION_##name: return v##function(x);
    switch (activation) { CETNET_ACTIVATIONS(CETNET_ACTIVATE) }
#undef CETNET_ACTIVATE
    return x;
}

/// Calls `function(activation, …)` with the activation as a constant, so that the loops inside hold one formula.
#define CETNET_WITH_ACTIVATION(activation, ...)                                                                        \
    switch (activation) { CETNET_ACTIVATIONS(CETNET_ACTIVATION_CASE, __VA_ARGS__) }
#define CETNET_ACTIVATION_CASE(name, unused, function, ...)                                                            \
    case CETNET_ACTIVATION_##name: function(CETNET_ACTIVATION_##name, __VA_ARGS__); break;
