"""Arrays of any library, on any device, as arrays of numpy or bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np


def library_of(value: Any) -> str:
    """Return the name of the package that the class of a value belongs to."""
    return (type(value).__module__ or "").partition(".")[0]


def has_unused_bytes(dtype: np.dtype[Any]) -> bool:
    """Whether elements have padding bytes, as long doubles and aligned records do."""
    if dtype.subdtype is not None:
        return has_unused_bytes(dtype.base)
    if dtype.names is None:
        return dtype.char in "gG"
    fields = [dtype[name] for name in dtype.names]
    used = sum(field.itemsize for field in fields)
    return used != dtype.itemsize or any(has_unused_bytes(field) for field in fields)


def is_tensor(value: Any) -> bool:
    """Whether a value is a dense tensor of PyTorch, not quantized."""
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and isinstance(value, torch.Tensor)
        and value.layout is torch.strided
        and not value.is_quantized
    )


def bytes_of_tensor(tensor: Any) -> Any:
    """Return the elements of a tensor as bytes: numpy does not have all of its dtypes."""
    elements = tensor.detach().cpu().resolve_conj().resolve_neg().reshape(-1).contiguous()
    return elements.view(sys.modules["torch"].uint8).numpy()


def is_foreign_array(value: Any) -> bool:
    """Whether a value is an array of another library than numpy."""
    kind = type(value)
    names = ("__array_namespace__", "__dlpack__", "__cuda_array_interface__")
    return (
        not isinstance(value, np.generic)
        and any(hasattr(kind, name) for name in names)
        and hasattr(value, "dtype")
        and hasattr(value, "shape")
    )


def on_host(array: Any) -> np.ndarray[Any, Any] | None:
    """Return an array of any library, on any device, as one of numpy; None if it cannot be."""
    ways: list[Callable[[], Any]] = [
        lambda: array.get(),  # CuPy
        lambda: array.asnumpy(),  # dpnp
        lambda: np.from_dlpack(array, device="cpu"),  # numpy >= 2.1
        lambda: np.from_dlpack(array),
        lambda: np.asarray(array),
    ]
    for way in ways:
        with suppress(Exception):
            moved = way()
            # what numpy does not know may become one object, or nested lists
            if isinstance(moved, np.ndarray) and moved.shape == tuple(array.shape):
                return None if moved.dtype.hasobject else moved
    return None
