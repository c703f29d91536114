/// What every figure of `cetnet compare` means.
enum CompareHelp {
    static let discussion = """
        Runs the models on random images, in turn and round by round, so that a machine that becomes faster or slower \
        meanwhile does so for all of them. A VARIANT gets random weights, which are as fast as trained ones, and so does \
        a file whose name ends in .json, which is taken as a configuration. Accuracies are the published ones; nothing \
        is classified. All models are in memory at the same time.

        EXAMPLES
          cetnet compare --study layers
          cetnet compare --study units --report /tmp/units
          cetnet compare cetnet-t cetnet-t-ghost models/mine --baseline cetnet-t
          cetnet compare cetnet-t-ghost ghost-of-3-layers.json
          cetnet compare --study family --batch 8 --image-size 384 --rounds 8

        STUDIES
          layers     CETNet-T with embeddings of 1, 3, 5 and 7 layers
          units      CETNet-T with embeddings of different units
          stages     CETNet-T with embeddings in the first 0 to 4 stages
          family     CETNet-T, S and B
          backbones  other backbones, each beside its form with embeddings; here the
                     baseline of each form is the backbone without them
        Models named beside --study are compared too.

        WHAT IS REPORTED
          parameters     Trained numbers of the model.
          multiply-adds  For one image: convolutions, linear layers and the two
                         products of attention, the "FLOPs" of papers.
          top-1          The published accuracy on ImageNet-1k, in percent, and
                         where it was published. It is the one for images of the
                         size compared, if there is one; else another, with the
                         size that it is for.
          median         Of all measured runs, in milliseconds per batch.
          P10-P90        What 10 and 90 % of these runs stay below. A machine that
                         drifts widens it, but does not harm the ratio.
          ratio          Median over the rounds of the model's time in a round over
                         the baseline's in the same round. The time in a round is
                         the fastest of its \(CompareRounds.runsPerRound) runs: whatever else the machine
                         does only adds to the others.
          images/s       Batch / median.
          GFLOP/s        Billions of floating point operations per second, two for
                         each multiply-add.
          of peak        GFLOP/s / what as many threads do in a loop of multiply-adds
                         on registers.
          CE … other     Shares of the time by part: convolutional embedding with the
                         stem, attention, MLP, and the rest: the image's copy,
                         patch embeddings, local convolutions, the head. Means over the middle half of the
                         runs that had a clock in every step, one in each round.

        TOO CLOSE TO TELL APART
        Two models are told apart if the interval that holds the median ratio of their times with \
        \(Int(SignTest.confidence * 100)) % confidence does not contain 1, and if that ratio differs from 1 by more \
        than \(PairedRatio.leastDifference * 100) %. The interval follows from the sign test, which assumes nothing \
        about how times are distributed: in 15 rounds one model must be the faster in 13. Fewer than \
        \(SignTest.leastCount) rounds tell nothing apart. Smaller differences do not count because where memory \
        happens to lie moves a model's times by as much from one start of the program to the next.

        --report writes a directory with report.html, which needs no other file; report.md and the plots that it shows; \
        report.json and report.csv. --json and --csv write the last two alone. Existing files of these names are \
        replaced.
        """
}
