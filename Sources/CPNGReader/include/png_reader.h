#pragma once
// PNG to 8-bit RGB with libpng. In C, because libpng reports errors by longjmp, which must not pass through Swift.

#include <stddef.h>
#include <stdint.h>

typedef enum cetnet_png_status {
    CETNET_PNG_OK,
    /// The data ends before the image does.
    CETNET_PNG_TRUNCATED,
    /// libpng refused the data; the message says why.
    CETNET_PNG_DAMAGED,
    CETNET_PNG_OUT_OF_MEMORY,
} cetnet_png_status;

typedef struct cetnet_png_image {
    /// The file.
    const uint8_t *bytes;
    size_t count;
    /// The size that the file's header gives; a file that turns out to be of another size is damaged.
    uint32_t width;
    uint32_t height;
    /// Receives height rows of width × 3 bytes without gaps.
    uint8_t *pixels;
    /// Receives libpng's message, if there is one.
    char message[128];
} cetnet_png_image;

/// Decodes any kind of PNG to the values as they are stored: no gamma, colour profile or background is applied, alpha
/// and transparent colours are dropped, grey is replicated, fewer than 8 bits are scaled up, and of 16 bits the upper
/// 8 are kept. Memory beside `pixels` is a few rows and the decompressor's state.
cetnet_png_status cetnet_read_png(cetnet_png_image *image);
