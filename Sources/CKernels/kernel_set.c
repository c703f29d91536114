#include "include/kernel_set.h"
#include "tiers/tiers.h"

#define CETNET_TIER(name) extern const cetnet_kernel_set cetnet_kernel_set_##name;
CETNET_TIERS(CETNET_TIER)
#undef CETNET_TIER

#define CETNET_TIER(name) &cetnet_kernel_set_##name,
static const cetnet_kernel_set *const tiers[] = {CETNET_TIERS(CETNET_TIER)};
#undef CETNET_TIER

#define CETNET_FAMILY(kernel, arguments) #kernel,
static const char *const families[] = {
#include "families/families.inc"
};
#undef CETNET_FAMILY

enum { TIER_COUNT = sizeof tiers / sizeof *tiers, FAMILY_COUNT = sizeof families / sizeof *families };

const cetnet_kernel_set *cetnet_known_kernel_set(int32_t index) {
    return index >= 0 && index < TIER_COUNT ? tiers[index] : 0;
}

const char *cetnet_kernel_family(int32_t index) { return index >= 0 && index < FAMILY_COUNT ? families[index] : 0; }
