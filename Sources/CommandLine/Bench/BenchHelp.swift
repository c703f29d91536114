/// What every figure of `cetnet bench` means.
enum BenchHelp {
    static let discussion = """
        Runs the model on random images and reports times and what they amount to. A VARIANT gets random weights, \
        which are as fast as trained ones. Every model, thread count, image size, number of sessions and batch asked \
        for is measured, one after the other.

        EXAMPLES
          cetnet bench cetnet-t
          cetnet bench cetnet-t --batch 1,8 --threads 1,2 --json figures.json
          cetnet bench cetnet-s --image-size 384 --per-layer --sort time
          cetnet bench cetnet-t-ghost --per-layer --group-by stage,part
          cetnet bench models/digits cetnet-t --sessions 1,2 --threads 1
          cetnet bench cetnet-t --image-size 224,384,256x320 --threads 1 --pin 0

        WHAT IS REPORTED
          parameters     Trained numbers of the model.
          multiply-adds  For one image: convolutions, linear layers and the two
                         products of attention, the "FLOPs" of papers. What
                         padding of windows adds is computed but not counted.
          executed       How many of them are computed, where it is fewer: in
                         the heads of segmentation models, see
                         Documentation/Benchmarks.md.
          operations     Floating point operations: two per multiply-add.
          precision      Of linear layers and dense convolutions, in memory and
                         in arithmetic; everything else is float32. In files a
                         model in another one is called MODEL:PRECISION.
          load           From opening the model's files to a model ready to run:
                         reading, checking and packing weights. A variant is
                         first written to temporary files, so that its files are
                         in the system's cache; writing does not count.
          first run      Of a new session: plan, memory, threads, and the run.
          steady state   Times of the runs after --warmup more, in milliseconds
                         per batch: mean, median, least, most; and P90, P95 and
                         P99, which 90, 95 and 99 % of the runs stay below,
                         interpolated linearly between runs.
          images/s       Batch / median time. With --sessions and --rate: images
                         of all sessions / time from the first start to the last end.
          GFLOP/s        Billions of floating point operations per second:
                         operations of an image x images/s.
          SGEMM          GFLOP/s of OpenBLAS's cblas_sgemm, 1024x1024 times
                         1024x1024, on as many threads (threads x sessions),
                         each with matrices of its own: the best of the rounds
                         done in this run of the program.
          FMA peak       GFLOP/s of a loop of multiply-adds that touches nothing
                         but registers, with the instructions of the kernel
                         tier in use, on as many threads: the best of the rounds
                         done in this run of the program.
          of which %     GFLOP/s of the model / SGEMM, or / FMA peak.
          peak resident  The most memory that the process had resident up to the
                         end of these runs, what was measured before included
                         (VmHWM, or ru_maxrss where there is no /proc).
          arena          Bytes of activations and scratch of all sessions.
          weights        Bytes of packed weights, which the sessions share.
          allocations    Calls of malloc and its relatives, on all threads, per
                         run of the steady state. Only where the package's
                         library AllocationCounter is preloaded (LD_PRELOAD).

        --per-layer runs the model once more after every run, with a clock. For each step of the plan it shows the \
        output for one image, milliseconds per batch, share of all steps, and GFLOP/s. These are means over the middle \
        half of the runs by their length, so that they add up and outliers have no part in them. Their sum is compared \
        with the mean over the middle half of the runs without a clock. With --group-by, steps are summed up: by part \
        (stem, convolutional embedding, patch embedding, local convolution, attention, MLP, head), by stage (1 to 4), \
        or by both, as "stage,part"; copies are those of results to where the caller wants them.

        --end-to-end measures the way from a file's bytes to labels, one image after the other: decoding, \
        preprocessing, the run with its ranking, and all together. Files are read beforehand; may be repeated.

        --rate N lets a batch come in N times a second, whatever has become of the last; the next of the --sessions \
        that is free takes it. Times are from a batch's arrival to its result, waiting included, and images/s what was \
        done of them.

        --pin LIST keeps the program on these processors, as taskset does; --threads then is as many unless it is given.

        --baseline FILE compares each median with that of the same model, image size, batch, threads and sessions in an \
        earlier --json FILE. It is slower if it exceeds the earlier one by more than --allow per cent and nine of ten runs \
        exceed the earlier median: then the status is 3.

        --trace FILE writes --per-layer's steps as events of Chrome's trace format, laid end to end.

        Warnings go to standard error, before the figures: of a build for debugging; of a busy machine (others use more than 5 % of its \
        processors); of a spread that makes figures worthless (P90 above 1.15 times the median).

        --json writes {"machine": {…}, "results": [{"model", "image_size", "batch", "threads", "sessions", "load_ms", \
        "first_run_ms", "mean_ms", "median_ms", "min_ms", "max_ms", "p90_ms", "p95_ms", "p99_ms", "images_per_second", \
        "gflops", "sgemm_gflops", "peak_gflops", "peak_rss_bytes", "arena_bytes", "weights_bytes", \
        "allocations_per_run", "samples_ms"}]}, one result for each that is measured; allocations_per_run is \
        null where they are not counted, samples_ms has every run. --per-layer adds "layers", --end-to-end adds \
        "end_to_end" beside the results. The machine's object has the date, the processor, its frequency governor and \
        the commit of the checkout. --csv writes the results with the same columns and those of the machine that tell \
        runs apart; with --per-layer, a row for each step.
        """
}
