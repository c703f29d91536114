/*
 * Classifies images with libcetnet:
 *
 *     cc classify.c $(pkg-config --cflags --libs cetnet) -o classify
 *     ./classify ../../models/digits ../../models/digits/images/digit-7-held-out-000.png
 */
#include <cetnet.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "Usage: %s MODEL IMAGE...\n", argv[0]);
        return 2;
    }
    cetnet_model *model;
    char *message;
    cetnet_options options = CETNET_OPTIONS;
    if (cetnet_load(argv[1], &options, &model, &message) != CETNET_OK) {
        fprintf(stderr, "Error: %s\n", message);
        cetnet_free(message);
        return 2;
    }

    enum { TOP = 3 };
    size_t count = (size_t)argc - 2;
    cetnet_image *images = calloc(count, sizeof *images);
    cetnet_prediction *predictions = calloc(count * TOP, sizeof *predictions);
    cetnet_outcome *outcomes = calloc(count, sizeof *outcomes);
    for (size_t i = 0; i < count; i++) {
        images[i].source = CETNET_FILE;
        images[i].name = argv[i + 2];
    }

    int result = 0;
    if (cetnet_classify(model, images, count, TOP, 0, predictions, outcomes, &message) != CETNET_OK) {
        fprintf(stderr, "Error: %s\n", message);
        cetnet_free(message);
        result = 2;
    } else {
        for (size_t i = 0; i < count; i++) {
            if (outcomes[i].status != CETNET_OK) {
                fprintf(stderr, "Error: %s\n", outcomes[i].message);
                cetnet_free(outcomes[i].message);
                result = 1;
                continue;
            }
            printf("%s\n", argv[i + 2]);
            for (size_t rank = 0; rank < outcomes[i].count; rank++) {
                cetnet_prediction prediction = predictions[i * TOP + rank];
                printf("  %6.2f %%  %s\n", 100 * prediction.probability, cetnet_label(model, prediction.index));
            }
        }
    }
    free(images);
    free(predictions);
    free(outcomes);
    cetnet_unload(model);
    return result;
}
