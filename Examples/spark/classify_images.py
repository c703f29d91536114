"""Classifies the images of a folder with Spark and writes what they are as Parquet.

    pip install cetnet-….whl pyspark pandas pyarrow
    python classify_images.py ../../models/digits ../../models/digits/images /tmp/digits.parquet
    spark-submit --master spark://… classify_images.py MODEL IMAGES OUTPUT

IMAGES is whatever Spark reads: a folder that every machine sees, or hdfs:, s3a: … An image that cannot be read has its
error in a column; the job goes on.
"""

import argparse
import os
import sys

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import cetnet.spark


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model on this machine; Spark sends it to the others")
    parser.add_argument("images", help="a folder of JPEG and PNG files")
    parser.add_argument("output", help="where the Parquet files go")
    options = parser.parse_args()

    spark = SparkSession.builder.appName("cetnet").getOrCreate()
    # Rows of an Arrow batch: their contents are in memory at the same time.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "256")
    images = (spark.read.format("binaryFile").option("recursiveFileLookup", "true")
              .option("pathGlobFilter", "*.{jpg,jpeg,png,JPG,JPEG,PNG}").load(options.images))
    model = cetnet.spark.distribute(spark, options.model)
    cetnet.spark.classify(images, model, top=3).write.mode("overwrite").parquet(options.output)

    found = spark.read.parquet(options.output)
    found.groupBy(F.col("predictions")[0]["label"].alias("label")).count().orderBy("label").show()
    print(f"{found.where('error IS NOT NULL').count()} of {found.count()} images could not be classified")
    spark.stop()


if __name__ == "__main__":
    main()
