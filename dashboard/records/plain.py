"""Frozen dataclasses of plain values to JSON and back, checked against their types on the way in."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from dashboard.errors import RecordsError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Dictionaries, lists, texts and numbers that hold the same as `value`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of type `kind` that :func:`to_plain` made `plain` from; unknown fields are left out.

    Raises
    ------
    RecordsError
        `plain` does not fit the type.
    """
    try:
        return typing.cast(T, _value(kind, plain))
    except (TypeError, ValueError, KeyError) as error:
        raise RecordsError(f"A stored {kind.__name__} cannot be understood; drop the study again.") from error


def _value(kind: Any, plain: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if plain is None:
            return None
        (kept,) = [argument for argument in arguments if argument is not type(None)]
        return _value(kept, plain)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_value(arguments[0], item) for item in plain)
        return tuple(_value(argument, item) for argument, item in zip(arguments, plain, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_value(arguments[0], key): _value(arguments[1], item) for key, item in plain.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, plain)
    return _scalar(kind, plain)


def _dataclass(kind: Any, plain: Any) -> Any:
    if not isinstance(plain, Mapping):
        raise TypeError(f"expected the fields of {kind}")
    fields = _fields(kind)
    return kind(**{name: _value(fields[name], item) for name, item in plain.items() if name in fields})


@lru_cache
def _fields(kind: type) -> dict[str, Any]:
    """Types of the fields by name; resolving them takes far longer than using them."""
    hints = typing.get_type_hints(kind)
    return {item.name: hints[item.name] for item in dataclasses.fields(kind) if item.init}


def _scalar(kind: Any, plain: Any) -> Any:
    if kind is float and isinstance(plain, int | float) and not isinstance(plain, bool):
        return float(plain)
    if kind is Path or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(plain)
    if not isinstance(plain, kind):
        raise TypeError(f"expected {kind}")
    return plain
