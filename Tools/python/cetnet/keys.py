"""Fields of dataclasses that are keys of a JSON object: what they hold, how they are read, written and checked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


def _must_be(text: str, value: Any) -> str:
    return f"must be {text}, found {json.dumps(value)}"


@dataclass(frozen=True)
class Kind:
    """What a key holds: `read` turns JSON into a value or raises `ValueError`, `problem` says what is wrong with it."""

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        return value

    def problem(self, value: Any) -> str | None:
        return None


@dataclass(frozen=True)
class Text(Kind):
    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(_must_be("a text", value))
        return value


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `least` to `greatest`."""

    least: int
    greatest: int
    odd: bool = False

    def read(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(_must_be("a whole number", value))
        return value

    def problem(self, value: int) -> str | None:
        if self.least <= value <= self.greatest and (value % 2 == 1 or not self.odd):
            return None
        return f"must be {'an odd' if self.odd else 'a'} number from {self.least} to {self.greatest}, found {value}"


@dataclass(frozen=True)
class Number(Kind):
    """A number that `allows` holds for, in words."""

    words: str
    allows: Callable[[float], bool]

    def read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(_must_be("a number", value))
        return float(value)

    def problem(self, value: float | None) -> str | None:
        return None if value is None or self.allows(value) else f"must be {self.words}, found {value}"


@dataclass(frozen=True)
class Choice(Kind):
    known: tuple[str, ...]

    def read(self, value: Any) -> str:
        problem = self.problem(value)
        if problem:
            raise ValueError(problem)
        return value

    def problem(self, value: str) -> str | None:
        return None if value in self.known else _must_be(f"one of {', '.join(self.known)}", value)


@dataclass(frozen=True)
class Several(Kind):
    """Values of a kind: `count`, or one per stage."""

    of: Kind
    count: int | None = None

    def read(self, value: Any) -> tuple:
        if not isinstance(value, list):
            raise ValueError(_must_be("a list", value))
        return tuple(map(self.of.read, value))

    def write(self, value: tuple) -> list:
        return list(map(self.of.write, value))

    def problem(self, value: tuple) -> str | None:
        if self.count not in (None, len(value)):
            return f"must have {self.count} entries, found {len(value)}"
        return next(filter(None, map(self.of.problem, value)), None)


@dataclass(frozen=True)
class Labels(Kind):
    """Texts by their index."""

    def read(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, dict):
            raise ValueError(_must_be("an object", value))
        keys = [str(index) for index in range(len(value))]
        if set(value) != set(keys):
            raise ValueError(f"must have the keys 0 to {len(value) - 1}, found others")
        return tuple(map(Text().read, map(value.get, keys)))

    def write(self, value: tuple[str, ...]) -> dict[str, str]:
        return {str(index): label for index, label in enumerate(value)}


@dataclass(frozen=True)
class Section(Kind):
    """An object with keys of its own; those that are absent have the values of `base`."""

    def read(self, value: Any, base: Any = None) -> Any:
        return dataclasses.replace(base, **read_keys(type(base), value))

    def write(self, value: Any) -> dict[str, Any]:
        return write_keys(value)

    def problem(self, value: Any) -> str | None:
        return next(problems(value), None)


def key(kind: Kind, *, name: str = "", silent: bool = False, **default: Any) -> Any:
    """A field that `config.json` has, under its own name or `name`. A `silent` default is not written."""
    return field(metadata={"kind": kind, "name": name, "silent": silent}, **default)


def keys(of: Any) -> list[tuple[str, dataclasses.Field]]:
    """The names in the file, and the fields."""
    return [(row.metadata["name"] or row.name, row) for row in dataclasses.fields(of)]


def read_keys(of: type, values: Any, base: Any = None) -> dict[str, Any]:
    """The fields that an object has values for. A key that there is no field for is somebody else's."""
    if not isinstance(values, dict):
        raise ValueError(_must_be("an object", values))
    found = {}
    for name, row in keys(of):
        if name in values:
            kind = row.metadata["kind"]
            try:
                if isinstance(kind, Section):
                    default = getattr(base, row.name) if base else row.default_factory()
                    found[row.name] = kind.read(values[name], default)
                else:
                    found[row.name] = kind.read(values[name])
            except ValueError as error:
                raise ValueError(f'"{name}" {error}') from None
    return found


def write_keys(of: Any) -> dict[str, Any]:
    """The object that says what the fields say."""
    return {name: row.metadata["kind"].write(getattr(of, row.name)) for name, row in keys(of)
            if not (row.metadata["silent"] and getattr(of, row.name) == row.default)}


def problems(of: Any) -> Iterator[str]:
    """What is wrong with each field by itself."""
    for name, row in keys(of):
        value = getattr(of, row.name)
        problem = None if value is None else row.metadata["kind"].problem(value)
        if problem:
            yield f'"{name}" {problem}'
