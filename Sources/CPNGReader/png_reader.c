#include "png_reader.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    cetnet_png_image *image;
    size_t position;
    int ended_early;
} reader;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    reader *r = png_get_io_ptr(png);
    if (count > r->image->count - r->position) {
        r->ended_early = 1;
        png_error(png, "the data ends early");
    }
    memcpy(out, r->image->bytes + r->position, count);
    r->position += count;
}

static void fail(png_structp png, png_const_charp message) {
    reader *r = png_get_error_ptr(png);
    snprintf(r->image->message, sizeof(r->image->message), "%s", message ? message : "no message");
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/// Everything that may longjmp.
static void read_image(png_structp png, png_infop info, cetnet_png_image *image) {
    // Text, colour profiles and the like are skipped unread: nothing of them is needed, and compressed ones can
    // expand without limit.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_user_limits(png, image->width, image->height);
    png_read_info(png, info);
    if (png_get_image_width(png, info) != image->width || png_get_image_height(png, info) != image->height) {
        png_error(png, "the header changes");
    }

    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const size_t row_bytes = (size_t)image->width * 3;
    if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "unexpected size of a row");

    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < image->height; y++) png_read_row(png, image->pixels + y * row_bytes, NULL);
    }
}

/// Apart from its caller, so that `r` is no variable of the function that calls setjmp and keeps its value.
static cetnet_png_status run(reader *r) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, fail, ignore);
    if (!png) return CETNET_PNG_OUT_OF_MEMORY;
    png_infop info = png_create_info_struct(png);
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return CETNET_PNG_OUT_OF_MEMORY;
    }
    png_set_read_fn(png, r, read_bytes);

    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return r->ended_early ? CETNET_PNG_TRUNCATED : CETNET_PNG_DAMAGED;
    }
    read_image(png, info, r->image);
    png_destroy_read_struct(&png, &info, NULL);
    return CETNET_PNG_OK;
}

cetnet_png_status cetnet_read_png(cetnet_png_image *image) {
    image->message[0] = 0;
    reader r = {.image = image};
    return run(&r);
}
