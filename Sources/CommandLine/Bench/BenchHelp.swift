/// What every figure of `cetnet bench` means.
enum BenchHelp {
    static let discussion = """
        Runs the model on random images and reports times and what they amount to. A VARIANT gets random weights, which \
        are as fast as trained ones. Every batch and thread count asked for is measured, one after the other.

        EXAMPLES
          cetnet bench cetnet-t
          cetnet bench cetnet-t --batch 1,8 --threads 1,2 --seconds 5 --json figures.json
          cetnet bench cetnet-s --image-size 384 --threads 1 --per-layer --sort time
          cetnet bench models/digits --sessions 2 --threads 1

        WHAT IS REPORTED
          parameters      Trained numbers of the model.
          multiply-adds   For one image: convolutions, linear layers and the two products of attention, the "FLOPs" of \
        papers. What padding windows adds is computed, but not counted.
          operations      Floating point operations, two for each multiply-add.
          precision       float32: numbers in memory and arithmetic.
          load            From opening the model's files to a model that is ready to run: reading, checking and packing \
        the weights. A variant is written to temporary files first, so the files are in the system's cache; writing \
        them does not count.
          first run       Of a new session: planning, memory, threads, and the run itself.
          steady state    Times of the runs after --warmup more, in milliseconds for a whole batch: mean, median, \
        least, most, and P90, P95, P99, the times that 90, 95 and 99 % of the runs stay below, interpolated linearly.
          images/s        Batch / median time. With --sessions: images of all sessions / time until the last one is done.
          GFLOP/s         Billions of operations per second: operations of an image x images/s.
          SGEMM           GFLOP/s of OpenBLAS's cblas_sgemm on matrices of 1024x1024 on as many threads (threads x \
        sessions), each with matrices of its own; the best of several rounds in this run of the program.
          FMA peak        GFLOP/s of a loop of multiply-adds that touches nothing but registers, with the instructions \
        of the kernel tier in use, on as many threads; the best of several rounds in this run of the program.
          share           GFLOP/s of the model / SGEMM, and / FMA peak.
          peak resident   The most memory that the process had resident up to the end of these runs, those measured \
        before included (VmHWM; getrusage's ru_maxrss where there is no /proc).
          arena           Bytes of activations and scratch of all sessions.
          weights         Bytes of packed weights, which all sessions share.
          allocations     Calls of malloc and its relatives, on all threads, per run of the steady state.

        --per-layer runs the model with a clock after every other run, and shows for each step of the plan its output \
        for one image, milliseconds per batch, share of all steps and GFLOP/s. The times are means over the middle half \
        of those runs, by their length, so that they add up and are not disturbed by outliers; their sum is compared \
        with the mean over the middle half of the runs without a clock.

        Warnings go to standard error: a build for debugging; a busy machine (others use more than 5 % of its \
        processors); a spread that says the figures cannot be trusted (P90 above 1.15 x the median).

        The JSON is one object, {"machine": {…}, "results": [{"model", "image_size", "batch", "threads", "load_ms", \
        "first_run_ms", "mean_ms", "median_ms", "min_ms", "max_ms", "p90_ms", "p95_ms", "p99_ms", "images_per_second", \
        "gflops", "sgemm_gflops", "peak_gflops", "peak_rss_bytes", "arena_bytes", "weights_bytes", \
        "allocations_per_run"}]}, one result for each batch and thread count; allocations_per_run is null where they \
        cannot be counted. The CSV has the same columns.
        """
}
