"""Digests of arrays depend on the elements, whichever library has them, on whatever device."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier

from skpg.storage.digest import digest
from tests.storage.test_digest import X, digests_in_another_process


def test_bytes_without_meaning_do_not_matter():
    aligned = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    long = np.dtype([("a", np.longdouble), ("b", [("c", np.clongdouble)], (2,))])
    for dtype, element in [(aligned, (1, 0.1)), (long, (0.1, [(0.1,), (0.2,)]))]:
        arrays = [np.frombuffer(byte * dtype.itemsize, dtype).copy() for byte in (b"\0", b"\1")]
        for array in arrays:
            array[0] = element
        assert digest(arrays[0]) == digest(arrays[1])
        assert digest(arrays[0][0]) == digest(arrays[1][0])
        for name in dtype.names:
            changed = arrays[0].copy()
            changed[name] = 3
            assert digest(changed) != digest(arrays[0])


class OnGpu:
    """As an array of CuPy: it comes to the host by `get` only."""

    def __init__(self, array, device=0):
        self._array, self.device = np.asarray(array), device
        self.dtype, self.shape = self._array.dtype, self._array.shape

    def __array_namespace__(self, api_version=None):
        return np

    def __array__(self, *arguments, **options):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __dlpack__(self, **options):
        raise BufferError("It is not on the host.")

    def __dlpack_device__(self):
        return 2, self.device

    def get(self):
        return self._array.copy()


class OnlyDlpack:
    """An array that nothing but the exchange protocol leads to."""

    def __init__(self, array):
        self._array = np.asarray(array)
        self.dtype, self.shape = self._array.dtype, self._array.shape

    def __dlpack__(self, **options):
        return self._array.__dlpack__()

    def __dlpack_device__(self):
        return 1, 0

    def __reduce__(self):
        raise TypeError("It cannot be copied.")


class Holder:
    """An object with arrays in its attributes."""

    def __init__(self, array):
        self.array, self.more = array, {"scalar": array[0, 0]}


def test_an_array_is_told_by_its_elements_wherever_it_is():
    assert digest(OnGpu(X)) == digest(OnGpu(X, device=1))
    assert digest(OnGpu(X)) == digest(OnGpu(np.asfortranarray(X)))
    assert digest([OnGpu(3.0)]) == digest([OnGpu(3.0, device=1)])
    assert digest(OnlyDlpack(X)) == digest(OnlyDlpack(X.copy()))
    for kind in (OnGpu, OnlyDlpack):
        others = [X + np.eye(4, 3), X.astype(np.float32), X.T.copy(), X.ravel()]
        assert len({digest(kind(array)) for array in [X, *others]}) == 5
    # the last bits of results depend on the library
    assert len({digest(array) for array in (X, OnGpu(X), X.tolist())}) == 3


def test_array_api_strict():
    xp = pytest.importorskip("array_api_strict")
    array = xp.asarray(X)
    elsewhere = xp.asarray(X, device=xp.Device("device1"))
    assert digest(elsewhere) == digest(array) == digest(xp.asarray(X.copy()))
    assert digest(elsewhere[0, 1]) == digest(array[0, 1])
    assert digest(Holder(elsewhere[:1, :])) == digest(Holder(array[:1, :]))
    others = [
        xp.asarray(X + np.eye(4, 3)),
        xp.astype(array, xp.float32),
        xp.permute_dims(array, (1, 0)),
        X,
    ]
    assert len({digest(other) for other in [array, *others]}) == 5


def holding(array):
    estimator = KNeighborsClassifier(1)
    estimator.learned_ = [array]
    return estimator


def tensors():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    matrix = torch.arange(12.0).reshape(4, 3)
    return {
        "tensor": matrix,
        "changed": matrix + 1e-6,
        "transposed": matrix.T,
        "flat": matrix.ravel(),
        "double": matrix.double(),
        "half": matrix.half(),
        "bfloat16": matrix.bfloat16(),
        "integers": matrix.int(),
        "booleans": matrix > 3,
        "complex": matrix * 1j,
        "conjugate": (matrix * 1j).conj(),
        "scalar": torch.tensor(3.0),
        "empty": torch.empty(0, 3),
        "with gradient": matrix.clone().requires_grad_(),
        "sparse": matrix.to_sparse(),
        "numpy": matrix.numpy(),
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "layer": torch.nn.Linear(3, 2),
        "other layer": torch.nn.Linear(3, 2),
        "frozen layer": torch.nn.Linear(3, 2).requires_grad_(False),
        "holder": Holder(matrix),
        "fitted": FrozenEstimator(KNeighborsClassifier(1)),
        "fitted to tensors": FrozenEstimator(holding(matrix)),
        "fitted to other tensors": FrozenEstimator(holding(matrix + 1)),
        "random numbers": torch.Generator().manual_seed(1),
        "other random numbers": torch.Generator().manual_seed(2),
    }


def test_tensors():
    torch = pytest.importorskip("torch")
    digests = {name: digest(value) for name, value in tensors().items()}
    assert len(set(digests.values())) == len(digests)
    assert digests == {name: digest(value) for name, value in tensors().items()}
    assert digests_in_another_process(tensors) == str(list(digests.values()))
    matrix = tensors()["tensor"]
    wide = torch.zeros(4, 6)
    wide[:, ::2] = matrix
    assert digest(wide[:, ::2]) == digest(matrix)  # a view of other memory
    assert digest(matrix.T.contiguous().T) == digest(matrix)
    assert digest(matrix.conj().resolve_conj()) == digest(matrix)


def test_polars():
    polars = pytest.importorskip("polars")
    data = polars.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert digest(data) == digest(data.clone())
    assert digest(data) != digest(data.with_columns(a=polars.lit(3)))
