"""Public packages for comparisons: a test is skipped where one is not installed."""

import pytest

from cetnet import public_models


def package(name):
    try:
        return public_models.package(name)
    except public_models.PackageError as error:
        pytest.skip(str(error))
