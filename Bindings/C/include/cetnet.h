/*
 * CETNet vision models on the CPU, from C and from whatever can call C.
 *
 *     cetnet_model *model;
 *     char *message;
 *     if (cetnet_load("models/digits", NULL, &model, &message) != CETNET_OK) { ... message ... cetnet_free(message); }
 *
 * A model is loaded once and can then be used by any number of threads at the same time, without locks. Results are the
 * same bit for bit for any batch, any number of threads and any neighbours, and those of the command `cetnet`.
 *
 * Every function that can fail returns a cetnet_status. Its last argument, which may be NULL, receives NULL or what is
 * wrong in words for a person: it names the file, the tensor or the key, what was expected and what was found. The
 * caller gives such a message back with cetnet_free. Texts are UTF-8. Nothing is kept of what a call is given.
 *
 * A model must not be used in a child of fork() that does not call exec: its threads are not there. Calls then fail with
 * CETNET_WRONG_PROCESS, and cetnet_unload does nothing; load the model in the child.
 */
#ifndef CETNET_H
#define CETNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a call. Numbers stay as they are; versions to come may add to them. */
typedef enum cetnet_status {
    CETNET_OK = 0,
    /* NULL where something is needed, a number out of range, a buffer that is too small. */
    CETNET_INVALID_ARGUMENT = 1,
    /* There is no model at the path, or its files are damaged or contradict each other. */
    CETNET_INVALID_MODEL = 2,
    /* An image cannot be read, decoded or prepared. */
    CETNET_INVALID_IMAGE = 3,
    /* Logits are NaN or infinite: there is nothing to rank. */
    CETNET_NOT_FINITE = 4,
    /* The model is a backbone without classifier: it gives feature maps only. */
    CETNET_NO_CLASSIFIER = 5,
    /* There is no memory for the weights, an image or a run. */
    CETNET_OUT_OF_MEMORY = 6,
    /* This machine lacks what was asked for: instructions, OpenBLAS. */
    CETNET_UNAVAILABLE = 7,
    /* The model was loaded by another process, of which this one is a child. */
    CETNET_WRONG_PROCESS = 8,
    /* Anything else; the message says what. */
    CETNET_FAILED = 9
} cetnet_status;

/* What linear layers and dense convolutions are computed in; any model file runs in any. */
typedef enum cetnet_precision {
    /* The one that the model was quantised for, else float32. */
    CETNET_MODELS_PRECISION = 0,
    CETNET_FLOAT32 = 1,
    CETNET_BFLOAT16 = 2,
    CETNET_INT8 = 3
} cetnet_precision;

/* Which code multiplies matrices. */
typedef enum cetnet_backend {
    /* The fastest on this machine. */
    CETNET_BACKEND_AUTOMATIC = 0,
    /* OpenBLAS, which is loaded when it is asked for and must then be installed. */
    CETNET_BACKEND_OPENBLAS = 1
} cetnet_backend;

/* How a model uses the machine. Begin with CETNET_OPTIONS: fields that are 0 have the values that the library chooses. */
typedef struct cetnet_options {
    /* sizeof(cetnet_options): tells the library which fields the caller knows. */
    size_t struct_size;
    /* Threads of one run, 1 to 64. 0: every CPU that this process may use. */
    int32_t threads;
    /* Runs at the same time, 1 to 64; more wait for their turn. 0: as many as fill the CPUs with `threads` each. */
    int32_t concurrency;
    cetnet_precision precision;
    cetnet_backend backend;
} cetnet_options;

#define CETNET_OPTIONS {sizeof(cetnet_options), 0, 0, CETNET_MODELS_PRECISION, CETNET_BACKEND_AUTOMATIC}

/* A loaded model. */
typedef struct cetnet_model cetnet_model;

/* What a model answers with. */
typedef enum cetnet_task {
    /* Labels of an image: cetnet_classify. */
    CETNET_CLASSIFICATION = 0,
    /* Labels of pixels: cetnet_segment. */
    CETNET_SEGMENTATION = 1
} cetnet_task;

/* What a model is. */
typedef struct cetnet_description {
    /* sizeof(cetnet_description), set by the caller. */
    size_t struct_size;
    /* How many labels it tells apart. */
    size_t labels;
    /* Side of the square that images are cropped to. */
    size_t image_size;
    /* How many feature maps it gives. */
    size_t stages;
    /* Trained scalars. */
    size_t parameters;
    /* For one image of image_size; one multiply-add is two floating point operations. */
    size_t multiply_adds;
    /* Bytes of weights held in memory. */
    size_t weight_bytes;
    int32_t threads;
    int32_t concurrency;
    cetnet_precision precision;
    cetnet_task task;
    /* 1, or 0 for a backbone without head: it gives feature maps only. */
    int32_t has_head;
    /* The instructions that it runs on, `avx512` for instance. Lives as long as the model. */
    const char *kernels;
} cetnet_description;

/* How the bytes of a pixel are laid out: one for each channel, values as image files store them; alpha is ignored. */
typedef enum cetnet_pixel_format {
    CETNET_RGB8 = 0,
    CETNET_BGR8 = 1,
    CETNET_RGBA8 = 2,
    CETNET_BGRA8 = 3,
    CETNET_GRAY8 = 4
} cetnet_pixel_format;

/* Where an image comes from. */
typedef enum cetnet_image_source {
    /* A JPEG or PNG file: `name` is its path. */
    CETNET_FILE = 0,
    /* The bytes of such a file: `bytes`, `byte_count`. */
    CETNET_ENCODED = 1,
    /* Pixels: `bytes`, `byte_count`, `format`, `width`, `height`, `bytes_per_row`. */
    CETNET_PIXELS = 2
} cetnet_image_source;

/* An image. Fields that its source does not need are not looked at. */
typedef struct cetnet_image {
    cetnet_image_source source;
    cetnet_pixel_format format;
    /* The path of a file, else what messages call the image; then NULL is "image". */
    const char *name;
    const void *bytes;
    size_t byte_count;
    size_t width;
    size_t height;
    /* Distance of two rows; 0 where they follow each other without a gap. */
    size_t bytes_per_row;
} cetnet_image;

/* A label with its probability. */
typedef struct cetnet_prediction {
    /* Position in the logits, from 0; cetnet_label names it. */
    uint32_t index;
    /* Softmax over all labels, 0 to 1. */
    float probability;
} cetnet_prediction;

/* What became of one image of a call. */
typedef struct cetnet_outcome {
    cetnet_status status;
    /* How many predictions there are. */
    uint32_t count;
    /* What is wrong, for the caller to give back with cetnet_free; NULL if nothing is. */
    char *message;
} cetnet_outcome;

/* The version of the library, `1.2.3`. Never freed. */
const char *cetnet_version(void);

/* Gives back a message or what else a function made for the caller. NULL is nothing to give back. */
void cetnet_free(void *memory);

/*
 * Loads a model: a directory with config.json and model.safetensors, or one .safetensors file with the configuration in
 * its metadata. Weights are converted for this machine's kernels; afterwards the files are no longer needed.
 *
 * options: NULL for the library's choice.
 * model: receives the model, or NULL; the caller gives it back with cetnet_unload.
 */
cetnet_status cetnet_load(const char *path, const cetnet_options *options, cetnet_model **model, char **message);

/* Gives a model back. No call with it may be under way, and none may follow. NULL is nothing to give back. */
void cetnet_unload(cetnet_model *model);

/* Fills in what the model is: as many fields as `description->struct_size` says that the caller knows. */
cetnet_status cetnet_describe(const cetnet_model *model, cetnet_description *description, char **message);

/* The name of a label, which lives as long as the model; NULL beyond the last one. */
const char *cetnet_label(const cetnet_model *model, size_t index);

/* The model's configuration as the JSON of a config.json; the caller gives it back with cetnet_free. */
cetnet_status cetnet_configuration(const cetnet_model *model, char **json, char **message);

/*
 * Classifies images: decodes, resizes, crops and normalises them as the model's configuration says, runs them and ranks
 * the labels. One that cannot be read does not stop the others.
 *
 * images: `count` of them, of any sizes; decoded on as many threads as the model runs on.
 * top: how many predictions to give for each image, the most probable first; fewer if the model has fewer labels.
 * batch: how many images run together; 0 for 8. Changes speed and memory, never results.
 * predictions: room for count × top; those of image i begin at i × top.
 * outcomes: room for `count`; receives what became of each image.
 *
 * Returns CETNET_OK also where images failed: their outcomes tell. With another status no outcome is set.
 */
cetnet_status cetnet_classify(
    const cetnet_model *model, const cetnet_image *images, size_t count, size_t top, size_t batch,
    cetnet_prediction *predictions, cetnet_outcome *outcomes, char **message);

/*
 * The tensor that the model sees of images: resized, cropped, normalised.
 *
 * tensor: receives float32 (count, 3, image_size, image_size).
 * tensor_count: for how many numbers it has room.
 *
 * Fails with the first image that cannot be prepared.
 */
cetnet_status cetnet_preprocess(
    const cetnet_model *model, const cetnet_image *images, size_t count, float *tensor, size_t tensor_count,
    char **message);

/*
 * Labels every pixel of an image, in its own size, by a segmentation model.
 *
 * labels: receives height × width positions of labels, row by row, or NULL; the caller gives them back with cetnet_free.
 */
cetnet_status cetnet_segment(
    const cetnet_model *model, const cetnet_image *image, int32_t **labels, size_t *height, size_t *width,
    char **message);

/* The output that is not a stage's feature map. */
#define CETNET_LOGITS SIZE_MAX

/*
 * The shape of an output for an image of a size: channels, height and width of a stage's feature map, counted from 0, or
 * of CETNET_LOGITS: labels, 1, 1 in classification; labels, ⌈height/4⌉, ⌈width/4⌉ in segmentation.
 */
cetnet_status cetnet_output_shape(
    const cetnet_model *model, size_t output, size_t height, size_t width, size_t shape[3], char **message);

/*
 * Runs normalised images.
 *
 * input: float32 (batch, 3, height, width), of any size from 32×32; read where it is.
 * input_count: how many numbers there are.
 * logits: receives float32 (batch, labels) or, in segmentation, (batch, labels, ⌈height/4⌉, ⌈width/4⌉); NULL to keep none.
 * logits_count: for how many numbers it has room.
 * features: for each stage, receives float32 (batch, channels, height, width) in the shape that cetnet_output_shape
 *     gives; NULL to keep none.
 * feature_counts: for how many numbers each has room.
 *
 * NaN and infinity are not looked for: where an image holds them its own logits become NaN, never those of the others.
 */
cetnet_status cetnet_run(
    const cetnet_model *model, const float *input, size_t input_count, size_t batch, size_t height, size_t width,
    float *logits, size_t logits_count, float *const *features, const size_t *feature_counts, char **message);

/* Makes the first runs of images of a size as fast as those that follow. height and width 0: those of the model. */
cetnet_status cetnet_warm_up(
    const cetnet_model *model, size_t height, size_t width, size_t batch, char **message);

#ifdef __cplusplus
}
#endif

#endif
