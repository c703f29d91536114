#pragma once
// How the kernels were compiled.

#include <stdbool.h>

/// The C compiler's name and version.
const char *cetnet_compiler(void);

/// Whether the C compiler was asked to optimise.
bool cetnet_is_optimised(void);
