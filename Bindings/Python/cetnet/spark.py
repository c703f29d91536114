"""Many images on many machines: :func:`classify` a DataFrame of paths or of contents.

Every machine of the cluster needs this package. Nothing else of it is needed: each Python worker loads the model once,
and images are decoded and run where their rows are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from ._errors import CETNetError
from ._model import Model, Precision, load

if TYPE_CHECKING:
    import pandas
    from pyspark.sql import DataFrame, SparkSession

PREDICTIONS = "array<struct<index:int,label:string,probability:float>>"


@dataclass(frozen=True)
class DistributedModel:
    """A model that Spark sends to whichever machine needs it; made by :func:`distribute`."""

    #: Its name among the files that Spark sends.
    name: str


def distribute(spark: SparkSession, path: str | os.PathLike[str]) -> DistributedModel:
    """Has Spark send a model's files from the driver to the machines, once to each.

    Without it every machine must see the model at the same path.
    """
    source = Path(path).resolve()
    load(source, threads=1)  # What is wrong with it is said here, not by every task.
    if source.is_file():
        spark.sparkContext.addFile(str(source))
        return DistributedModel(source.name)
    # Spark sends no folders, but unpacks archives to them, and wants each under a name of its own.
    name = f"{source.name}-{uuid4().hex}"
    archive = shutil.make_archive(os.path.join(tempfile.mkdtemp(), name), "zip", source)
    spark.sparkContext.addArchive(f"{archive}#{name}")
    return DistributedModel(name)


def classify(
    df: DataFrame, model: str | os.PathLike[str] | DistributedModel, *, path: str = "path", content: str = "content",
    top: int = 5, batch: int = 8, precision: Precision | None = None, threads: int | None = None,
) -> DataFrame:
    """Classifies the images of a DataFrame's rows.

    Args:
        df: Has a column of contents of JPEG or PNG files, as Spark's ``binaryFile`` source reads them, or one of paths
            (``file:`` URIs too) that every machine can read. Contents are taken where there are both.
        model: A path that every machine can read, or what :func:`distribute` returns.
        path, content: The columns' names.
        top: How many predictions to give for each image.
        batch: How many images run together.
        precision: What is computed in; see :func:`cetnet.load`.
        threads: Threads of a run; by default ``spark.task.cpus``, what Spark counts on.

    Returns:
        The rows without the contents, with ``predictions`` (an array of index, label and probability, the most probable
        first) and ``error``: NULL, or what is wrong with the image, and then the predictions are NULL.
    """
    from pyspark.sql.types import StringType, StructType, _parse_datatype_string

    column = content if content in df.columns else path
    if column not in df.columns:
        raise ValueError(f"the DataFrame has neither a column {content!r} nor {path!r}: {', '.join(df.columns)}")
    if taken := {"predictions", "error"} & set(df.columns):
        raise ValueError(f"the DataFrame has columns of the result's names already: {', '.join(sorted(taken))}")
    fields = [field for field in df.schema.fields if field.name != content]
    schema = StructType(fields).add("predictions", _parse_datatype_string(PREDICTIONS)).add("error", StringType())
    work = partial(
        _classify, model=model if isinstance(model, DistributedModel) else os.fspath(model), column=column,
        drop=content, top=top, batch=batch, precision=precision, threads=threads)
    return df.mapInPandas(work, schema)


def _classify(
    frames: Iterable[pandas.DataFrame], *, model: str | DistributedModel, column: str, drop: str, top: int, batch: int,
    precision: Precision | None, threads: int | None,
) -> Iterator[pandas.DataFrame]:
    from pyspark import TaskContext

    task = TaskContext.get()
    loaded = _loaded(model, precision, threads or (task.cpus() if task else 1))
    for frame in frames:
        images = frame[column]
        known = images.notna()
        results = loaded.classifications(
            map(_local, images[known]), top=top, batch=batch)
        predictions, errors = [], []
        for is_known in known:
            result = next(results) if is_known else CETNetError(f"{column} is NULL")
            failed = isinstance(result, CETNetError)
            predictions.append(None if failed else [prediction._asdict() for prediction in result])
            errors.append(str(result) if failed else None)
        yield frame.drop(columns=drop, errors="ignore").assign(predictions=predictions, error=errors)


def _local(image: str | bytes) -> str | bytes:
    """The path of a ``file:`` URI; all else as it is."""
    if isinstance(image, str) and image.startswith("file:"):
        return unquote(urlsplit(image).path)
    return image


# Of this Python worker. Spark keeps workers for further tasks, and forks them from a process that has no models.
_models: dict[tuple[str | DistributedModel, Precision | None, int], Model] = {}


def _loaded(model: str | DistributedModel, precision: Precision | None, threads: int) -> Model:
    key = (model, precision, threads)
    if key not in _models:
        from pyspark import SparkFiles

        path = SparkFiles.get(model.name) if isinstance(model, DistributedModel) else model
        _models[key] = load(path, precision=precision, threads=threads, concurrency=1)
    return _models[key]
