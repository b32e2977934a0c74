"""Digests of values of any kind.

A digest depends on the value only. It is the same in each process, whatever the layout in
memory of an array, the device that it is on, the order of a dict or the identity of a string.
Nothing is pickled.
"""

from __future__ import annotations

import copyreg
import dataclasses
import functools
import hashlib
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from skpg.space.equality import copied, quantiles_of
from skpg.storage.arrays import (
    bytes_of_tensor,
    has_unused_bytes,
    is_foreign_array,
    is_tensor,
    library_of,
    on_host,
)

# Parameters of estimators that change how fast results come, and not the results.
WITHOUT_EFFECT = {"n_jobs", "verbose"}
# What `clone` copies beside the parameters.
COPIED = ("_metadata_request", "_sklearn_output_config")

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc, type)
# Types whose `repr` identifies the value exactly.
PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
# Functions of values that cannot be copied, or whose copies hold less than is digested here.
CONTENTS: dict[type, Callable[[Any], Any]] = {
    np.random.RandomState: lambda state: state.get_state(legacy=False),
    np.random.Generator: lambda generator: generator.bit_generator.state,
    types.ModuleType: lambda module: module.__name__,
    types.MappingProxyType: dict,
    type({}.keys()): list,
    type({}.values()): list,
    type({}.items()): list,
    memoryview: lambda view: (view.format, view.shape, view.tobytes()),
}


def digest(value: Any) -> str:
    """Return 32 hexadecimal digits that are the same for the same value in each process.

    Parameters
    ----------
    value : object
        What is digested of it:

        - arrays of any library: the library, dtype, shape and elements, on whatever device;
        - data frames: their columns;
        - estimators: class and parameters, since a search clones them;
        - functions and classes: their qualified names, as in `name_of`; of lambdas and inner
          functions also the code;
        - dataclasses of skpg, such as learners: class and fields;
        - other objects: what `copy` would copy.

    Raises
    ------
    TypeError
        If an object cannot be copied, such as an open file.

    Examples
    --------
    >>> import numpy as np
    >>> from skpg.storage.digest import digest
    >>> digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    True
    >>> digest(np.eye(2)) == digest(np.asfortranarray(np.eye(2)))
    True
    >>> digest([1, 2]) == digest([1, 2.0])
    False
    """
    writer = _Writer()
    writer.add(value)
    return writer.hexdigest()


def name_of(function: Any) -> str:
    """Return the qualified name of a function or class.

    Of those of skpg itself the path of the module is left out: which module a class is in does
    not change what it does.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from skpg.learners import ActorCritic
    >>> from skpg.storage.digest import name_of
    >>> name_of(SVC), name_of(ActorCritic)
    ('sklearn.svm._classes.SVC', 'skpg.ActorCritic')
    """
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", "")
    return f"{'skpg' if _is_of_skpg(function) else getattr(function, '__module__', None)}.{name}"


def _is_of_skpg(function: Any) -> bool:
    return str(getattr(function, "__module__", None)).partition(".")[0] == "skpg"


class _Writer:
    """A hash that values are written to, each with its kind and length."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        # the ids of the objects that are being written, to detect cycles
        self._open: dict[int, int] = {}
        # whether the fitted attributes of estimators are written, not only the parameters
        self._fitted = False

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def add(self, value: Any) -> None:
        """Write any value."""
        if isinstance(value, np.generic) and value.dtype.kind in "biufcUS":
            value = value.item()
        if type(value) in PLAIN:
            self._write(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))
        elif id(value) in self._open:
            self._write("cycle", str(self._open[id(value)]).encode())
        else:
            with self._inside(value):
                self._compound(value)

    def _write(self, kind: str, content: Any) -> None:
        self._hash.update(f"{kind} {len(content)}:".encode())
        self._hash.update(content)

    @contextmanager
    def _inside(self, value: Any) -> Iterator[None]:
        self._open[id(value)] = len(self._open)
        yield
        del self._open[id(value)]

    def _compound(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, np.generic) and has_unused_bytes(value.dtype):
            self._array(np.asarray(value))
        elif sparse.issparse(value):
            self._sparse(value)
        elif type(value) in (list, tuple):
            self._sequence(type(value).__name__, value)
        elif type(value) in (set, frozenset):
            self._sequence("set", sorted(self._digest(element) for element in value))
        elif type(value) is dict:
            pairs = ((self._digest(key), content) for key, content in value.items())
            self._sequence("dict", sorted(pairs, key=lambda pair: pair[0]))
        elif library_of(value) in ("pandas", "polars"):
            self._frame(value)
        elif (kind := next((t for t in CONTENTS if isinstance(value, t)), None)) is not None:
            self._sequence(kind.__name__, [CONTENTS[kind](value)])
        elif not self._foreign_array(value):
            self._callable(value)

    def _callable(self, value: Any) -> None:
        if isinstance(value, FUNCTIONS):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self._sequence("method", [value.__self__, value.__func__])
        elif isinstance(value, functools.partial):
            self._sequence("partial", [value.func, value.args, value.keywords])
        elif hasattr(value, "get_params") and not self._fitted:
            self._estimator(value)
        elif dataclasses.is_dataclass(value) and _is_of_skpg(type(value)):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            self._sequence("dataclass", [type(value), fields])
        elif library_of(value) == "scipy" and (quantiles := quantiles_of(value)) is not None:
            self._sequence("distribution", quantiles)
        else:
            self._object(value)

    def _digest(self, value: Any) -> str:
        inner = _Writer()
        inner._open, inner._fitted = self._open, self._fitted
        inner.add(value)
        return inner.hexdigest()

    def _sequence(self, kind: str, values: Iterable[Any]) -> None:
        values = list(values)
        self._write(kind, str(len(values)).encode())
        for value in values:
            self.add(value)

    def _array(self, array: np.ndarray[Any, Any]) -> None:
        if isinstance(array, np.ma.MaskedArray):
            self._sequence("masked", [array.filled(), np.ma.getmaskarray(array)])
        elif array.dtype.hasobject or array.dtype.kind == "T":
            self._sequence(f"array {array.shape}", array.ravel().tolist())
        else:
            form = f"array {np.lib.format.dtype_to_descr(array.dtype)} {array.shape}"
            flat = np.ascontiguousarray(array).reshape(-1)
            if not has_unused_bytes(array.dtype):
                self._write(form, flat.view(np.uint8) if flat.nbytes else b"")
            elif array.dtype.names is not None:
                self._sequence(form, [flat[name] for name in array.dtype.names])
            else:  # enough digits to identify each element
                self._sequence(form, [flat.astype(str)])

    def _foreign_array(self, value: Any) -> bool:
        """Write an array of another library; return False if it is none."""
        if is_tensor(value):
            # what PyTorch itself copies depends on the address, and on the device
            about = [str(value.dtype), tuple(value.shape), value.requires_grad]
            self._sequence("torch array", [*about, bytes_of_tensor(value)])
            return True
        array = on_host(value) if is_foreign_array(value) else None
        if array is not None:
            self._sequence(f"{library_of(value)} array", [str(value.dtype), array])
        return array is not None

    def _sparse(self, matrix: Any) -> None:
        form = f"{matrix.format} {matrix.shape}"
        if matrix.ndim != 2:
            self._sequence(form, [matrix.toarray()])
            return
        rows = matrix.tocsr(copy=True)
        rows.sum_duplicates()  # which sorts them, too
        self._sequence(form, [rows.indptr.astype(np.int64), rows.indices.astype(np.int64)])
        self.add(rows.data)

    def _frame(self, frame: Any) -> None:
        """Write a data frame, a series or an index of pandas or polars."""
        kind = type(frame).__name__
        if library_of(frame) == "polars":
            columns = frame.get_columns() if hasattr(frame, "get_columns") else [frame]
            self._sequence(kind, [(c.name, str(c.dtype), c.to_list()) for c in columns])
        elif kind == "DataFrame":
            self._sequence(kind, [frame.columns, frame.index])
            self._sequence("columns", [column for _, column in frame.items()])
        elif hasattr(frame, "dtype") and hasattr(frame, "to_numpy"):
            self._sequence(f"{kind} {frame.dtype}", [getattr(frame, "name", None)])
            if kind == "Series":
                self.add(frame.index)
            self._column(frame)
        else:
            self._object(frame)

    def _column(self, column: Any) -> None:
        if getattr(column, "nlevels", 1) > 1 or column.dtype == object:
            self.add(column.tolist())
        elif isinstance(column.dtype, np.dtype):
            self.add(column.to_numpy())
        else:  # a dtype of pandas, such as categories, of which order counts
            self.add(getattr(column.dtype, "categories", None))
            self.add(bool(getattr(column.dtype, "ordered", False)))
            pandas = sys.modules["pandas"]
            hashed = pandas.util.hash_pandas_object(pandas.Series(column), index=False)
            self.add(np.asarray(hashed))

    def _function(self, function: Any) -> None:
        self._write("function", name_of(function).encode())
        if "<" in name_of(function) and isinstance(function, types.FunctionType):
            # the name of a lambda or of an inner function does not identify it
            self._code(function.__code__)
            cells = [_content(cell) for cell in function.__closure__ or ()]
            self.add([function.__defaults__, function.__kwdefaults__, cells])

    def _code(self, code: types.CodeType) -> None:
        self.add([code.co_code, code.co_names, code.co_varnames])
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)
            else:
                self.add(constant)

    def _estimator(self, estimator: Any) -> None:
        if keeps_state(estimator):
            self._fitted = True
            self._object(estimator)
            self._fitted = False
            return
        self._sequence("estimator", [shell_of(estimator)])
        params = estimator.get_params(deep=False)
        self.add({name: params[name] for name in params.keys() - WITHOUT_EFFECT})

    def _object(self, value: Any) -> None:
        try:
            reduced = _reduced(value)
        except Exception as error:
            raise TypeError(
                f"A search with storage must be able to recognise {value!r} of type "
                f"{name_of(type(value))} when it is started again: {error}."
            ) from error
        if isinstance(reduced, str):
            module = "skpg" if _is_of_skpg(value) else getattr(value, "__module__", None)
            self._write("global", f"{module}.{reduced}".encode())
            return
        function, arguments, state, elements, items = (*reduced, None, None, None)[:5]
        self._sequence("object", [function, arguments, state])
        self.add([list(elements or ()), dict(items or ())])


def shell_of(estimator: Any) -> list[Any]:
    """Return what identifies an estimator beside its parameters."""
    return [type(estimator), *(getattr(estimator, name, None) for name in COPIED)]


def keeps_state(estimator: Any) -> bool:
    """Whether cloning keeps what an estimator has learned."""
    own = getattr(type(estimator), "__sklearn_clone__", None)
    return own not in (None, BaseEstimator.__sklearn_clone__)


def _reduced(value: Any) -> Any:
    """Return what `copy` would copy."""
    try:
        return copied(value)
    except Exception:
        # Not first, as `copy` does: which types are in the table depends on what is imported.
        if type(value) not in copyreg.dispatch_table:
            raise
        return copyreg.dispatch_table[type(value)](value)


def _content(cell: types.CellType) -> Any:
    """Return what a cell of a closure holds; its type if the variable has no value yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return types.CellType
