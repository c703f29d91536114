/*
 * Tests of libcetnet from C: every function, what each refuses, several threads. Run as it is and under valgrind.
 *     test_library MODEL IMAGE
 * Prints what failed, with values, and ends with status 1.
 */
#include <cetnet.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures, checks;

static void check(int holds, const char *what, int line) {
    checks++;
    if (holds) return;
    failures++;
    fprintf(stderr, "line %d: %s does not hold\n", line, what);
}
#define CHECK(condition) check((condition), #condition, __LINE__)

/* A call that must fail with a status and a message that has some words. */
static void refused(cetnet_status found, cetnet_status expected, char *message, const char *words, int line) {
    checks++;
    if (found != expected || message == NULL || strstr(message, words) == NULL) {
        failures++;
        fprintf(stderr, "line %d: status %d and \"%s\"; expected %d and \"…%s…\"\n", line, found,
                message ? message : "NULL", expected, words);
    }
    cetnet_free(message);
}
#define REFUSED(call, status, words) \
    do { char *message = NULL; cetnet_status found = (call); refused(found, status, message, words, __LINE__); } while (0)

typedef struct { const cetnet_model *model; const float *tensor; size_t count, labels; const float *expected; int differs; } job;

static void *run(void *argument) {
    job *work = argument;
    float *logits = calloc(work->labels, sizeof *logits);
    for (int round = 0; round < 4; round++) {
        cetnet_status status = cetnet_run(
            work->model, work->tensor, work->count, 1, 32, 32, logits, work->labels, NULL, NULL, NULL);
        if (status != CETNET_OK || memcmp(logits, work->expected, work->labels * sizeof *logits) != 0) work->differs++;
    }
    free(logits);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    char *message = NULL;
    cetnet_model *model = NULL;
    CHECK(strlen(cetnet_version()) >= 5);
    cetnet_free(NULL);
    cetnet_unload(NULL);

    /* Loading */
    REFUSED(cetnet_load(NULL, NULL, &model, &message), CETNET_INVALID_ARGUMENT, "path is NULL");
    REFUSED(cetnet_load("x", NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "model is NULL");
    REFUSED(cetnet_load("/no/such", NULL, &model, &message), CETNET_INVALID_MODEL, "/no/such");
    CHECK(model == NULL);
    CHECK(cetnet_load("/no/such", NULL, &model, NULL) == CETNET_INVALID_MODEL);
    cetnet_options options = CETNET_OPTIONS;
    options.threads = 65;
    REFUSED(cetnet_load(argv[1], &options, &model, &message), CETNET_INVALID_ARGUMENT, "65");
    options.threads = 2;
    options.concurrency = 2;
    options.struct_size = 3;
    REFUSED(cetnet_load(argv[1], &options, &model, &message), CETNET_INVALID_ARGUMENT, "struct_size is 3");
    options.struct_size = sizeof options;
    options.precision = (cetnet_precision)77;
    REFUSED(cetnet_load(argv[1], &options, &model, &message), CETNET_INVALID_ARGUMENT, "precision 77");
    options.precision = CETNET_FLOAT32;
    if (cetnet_load(argv[1], &options, &model, &message) != CETNET_OK) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    CHECK(message == NULL);

    /* What it is */
    cetnet_description description = {sizeof description};
    CHECK(cetnet_describe(model, &description, NULL) == CETNET_OK);
    size_t labels = description.labels, side = description.image_size;
    CHECK(labels == 10 && description.stages == 4 && description.threads == 2 && description.has_head == 1);
    CHECK(description.precision == CETNET_FLOAT32 && description.task == CETNET_CLASSIFICATION);
    CHECK(description.parameters > 1000 && description.multiply_adds > 1000 && strlen(description.kernels) > 3);
    cetnet_description shorter = {offsetof(cetnet_description, image_size), 0, 12345};
    CHECK(cetnet_describe(model, &shorter, NULL) == CETNET_OK);
    CHECK(shorter.labels == labels && shorter.image_size == 12345);
    REFUSED(cetnet_describe(NULL, &description, &message), CETNET_INVALID_ARGUMENT, "model is NULL");
    CHECK(strcmp(cetnet_label(model, 3), "3") == 0);
    CHECK(cetnet_label(model, labels) == NULL && cetnet_label(NULL, 0) == NULL);
    char *json = NULL;
    CHECK(cetnet_configuration(model, &json, NULL) == CETNET_OK);
    CHECK(json != NULL && strstr(json, "\"num_labels\"") != NULL);
    cetnet_free(json);

    /* Images: a file, its bytes, pixels, and some that are none */
    FILE *file = fopen(argv[2], "rb");
    char *bytes = malloc(1 << 20);
    size_t length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    unsigned char grey[40 * 48] = {0};
    cetnet_image images[5] = {
        {CETNET_FILE, 0, argv[2]}, {CETNET_ENCODED, 0, NULL, bytes, length}, {CETNET_FILE, 0, "missing.png"},
        {CETNET_ENCODED, 0, "half", bytes, length / 2}, {CETNET_PIXELS, CETNET_GRAY8, NULL, grey, sizeof grey, 40, 40, 48},
    };
    cetnet_prediction predictions[5 * 2];
    cetnet_outcome outcomes[5];
    CHECK(cetnet_classify(model, images, 5, 2, 0, predictions, outcomes, NULL) == CETNET_OK);
    CHECK(outcomes[0].status == CETNET_OK && outcomes[0].count == 2 && outcomes[0].message == NULL);
    CHECK(predictions[0].index == 7 && predictions[0].probability > 0.5f);
    CHECK(memcmp(&predictions[0], &predictions[2], 2 * sizeof *predictions) == 0);
    CHECK(outcomes[2].status == CETNET_INVALID_IMAGE && strstr(outcomes[2].message, "missing.png: no such file"));
    CHECK(outcomes[3].status == CETNET_INVALID_IMAGE && strstr(outcomes[3].message, "half"));
    CHECK(outcomes[4].status == CETNET_OK);
    for (int i = 0; i < 5; i++) cetnet_free(outcomes[i].message);
    CHECK(cetnet_classify(model, NULL, 0, 2, 0, NULL, NULL, NULL) == CETNET_OK);
    REFUSED(cetnet_classify(model, NULL, 1, 2, 0, predictions, outcomes, &message), CETNET_INVALID_ARGUMENT, "images");
    REFUSED(cetnet_classify(model, images, 1, 2, 0, NULL, outcomes, &message), CETNET_INVALID_ARGUMENT, "predictions");
    cetnet_image nameless = {CETNET_FILE};
    REFUSED(cetnet_classify(model, &nameless, 1, 2, 0, predictions, outcomes, &message), CETNET_INVALID_ARGUMENT, "name");
    cetnet_image unknown = {(cetnet_image_source)9};
    REFUSED(cetnet_classify(model, &unknown, 1, 2, 0, predictions, outcomes, &message), CETNET_INVALID_ARGUMENT, "source 9");
    cetnet_image few = {CETNET_PIXELS, CETNET_RGB8, "few", grey, 10, 40, 40};
    CHECK(cetnet_classify(model, &few, 1, 1, 0, predictions, outcomes, NULL) == CETNET_OK);
    CHECK(outcomes[0].status == CETNET_INVALID_IMAGE && strstr(outcomes[0].message, "few"));
    cetnet_free(outcomes[0].message);
    int32_t *pixels = NULL;
    size_t height, width;
    REFUSED(cetnet_segment(model, images, &pixels, &height, &width, &message), CETNET_INVALID_ARGUMENT, "segmentation");

    /* Tensors: those of an image give its predictions */
    size_t count = 3 * side * side;
    float *tensor = malloc(count * sizeof *tensor), *logits = malloc(labels * sizeof *logits);
    CHECK(cetnet_preprocess(model, images, 1, tensor, count, NULL) == CETNET_OK);
    REFUSED(cetnet_preprocess(model, images, 1, tensor, count - 1, &message), CETNET_INVALID_ARGUMENT, "tensor");
    REFUSED(cetnet_preprocess(model, images + 2, 1, tensor, count, &message), CETNET_INVALID_IMAGE, "missing.png");
    CHECK(cetnet_warm_up(model, 0, 0, 1, NULL) == CETNET_OK);
    REFUSED(cetnet_warm_up(model, 3, 32, 1, &message), CETNET_INVALID_ARGUMENT, "3");
    size_t shape[3];
    float *maps[4];
    size_t counts[4];
    for (size_t stage = 0; stage < 4; stage++) {
        CHECK(cetnet_output_shape(model, stage, side, side, shape, NULL) == CETNET_OK);
        counts[stage] = shape[0] * shape[1] * shape[2];
        maps[stage] = malloc(counts[stage] * sizeof(float));
    }
    CHECK(cetnet_output_shape(model, CETNET_LOGITS, side, side, shape, NULL) == CETNET_OK);
    CHECK(shape[0] == labels && shape[1] == 1 && shape[2] == 1);
    REFUSED(cetnet_output_shape(model, 4, side, side, shape, &message), CETNET_INVALID_ARGUMENT, "output is 4");
    CHECK(cetnet_run(model, tensor, count, 1, side, side, logits, labels, maps, counts, NULL) == CETNET_OK);
    size_t best = 0;
    double sum = 0;
    for (size_t i = 1; i < labels; i++) if (logits[i] > logits[best]) best = i;
    for (size_t i = 0; i < labels; i++) sum += exp((double)logits[i] - logits[best]);
    CHECK(best == predictions[2].index);
    /* One rounding to float32. */
    CHECK(fabs(1 / sum - predictions[2].probability) <= 6e-8);
    CHECK(isfinite(maps[3][0]));
    CHECK(cetnet_run(model, tensor, count, 1, side, side, NULL, 0, maps, counts, NULL) == CETNET_OK);
    REFUSED(cetnet_run(model, tensor, count, 1, side, side, NULL, 0, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "logits");
    REFUSED(cetnet_run(model, tensor, count, 2, side, side, logits, labels, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "input");
    REFUSED(cetnet_run(model, tensor, count, 1, side, side, logits, 9, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "logits");
    REFUSED(cetnet_run(model, tensor, count, 0, side, side, logits, labels, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "batch");
    REFUSED(cetnet_run(model, tensor, count, SIZE_MAX, side, side, logits, labels, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "batch");
    REFUSED(cetnet_run(model, tensor, count, 1, SIZE_MAX, SIZE_MAX, logits, labels, NULL, NULL, &message), CETNET_INVALID_ARGUMENT, "size");
    counts[2]--;
    REFUSED(cetnet_run(model, tensor, count, 1, side, side, logits, labels, maps, counts, &message), CETNET_INVALID_ARGUMENT, "feature map 3");

    /* Eight threads on one model */
    CHECK(cetnet_run(model, tensor, 3 * 32 * 32, 1, 32, 32, logits, labels, NULL, NULL, NULL) == CETNET_OK);
    job jobs[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        jobs[i] = (job){model, tensor, 3 * 32 * 32, labels, logits, 0};
        pthread_create(&threads[i], NULL, run, &jobs[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CHECK(jobs[i].differs == 0);
    }

    /* A child of fork is told, and does not wait for threads that are not there. */
    pid_t child = fork();
    if (child == 0) {
        cetnet_status found = cetnet_run(model, tensor, count, 1, side, side, logits, labels, NULL, NULL, NULL);
        cetnet_unload(model);
        _exit(found != CETNET_WRONG_PROCESS);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);

    for (size_t stage = 0; stage < 4; stage++) free(maps[stage]);
    free(tensor);
    free(logits);
    free(bytes);
    cetnet_unload(model);
    printf("%d checks, %d failed\n", checks, failures);
    return failures > 0;
}
