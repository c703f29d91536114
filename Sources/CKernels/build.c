#include "include/build.h"

const char *cetnet_compiler(void) { return __VERSION__; }

bool cetnet_is_optimised(void) {
#if defined(__OPTIMIZE__)
    return true;
#else
    return false;
#endif
}
