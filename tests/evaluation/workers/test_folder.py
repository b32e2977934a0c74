"""Values that are handed to workers in files."""

import numpy as np
import pytest
from scipy import sparse

from skpg.evaluation.workers.folder import dump, load


def test_arrays_of_a_dumped_value_are_mapped_and_equal(tmp_path):
    pandas = pytest.importorskip("pandas")
    value = {
        "C": np.arange(12.0).reshape(3, 4),
        "F": np.asfortranarray(np.arange(12).reshape(3, 4)),
        "empty": np.empty((0, 3)),
        "object": np.array([None, "a"], dtype=object),
        "sparse": sparse.random(20, 5, 0.2, random_state=0, format="csr"),
        "frame": pandas.DataFrame({"x": [1.5, 2.5], "y": ["a", "b"]}),
        "function": lambda x: x + 1,
    }
    dump(value, tmp_path / "value")
    read = load(tmp_path / "value")
    for name in ("C", "F", "empty", "object"):
        np.testing.assert_array_equal(read[name], value[name])
    assert read["F"].flags.f_contiguous
    assert (read["sparse"] != value["sparse"]).nnz == 0
    assert read["frame"].equals(value["frame"])
    assert read["function"](1) == 2
    read["C"][0, 0] = 99  # private to this process
    assert load(tmp_path / "value")["C"][0, 0] == 0
