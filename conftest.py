"""Doctests of bridges to projects that are not installed are left out."""

from importlib.util import find_spec

import pytest

BRIDGES = {
    "optuna": [
        f"optuna/{name}"
        for name in ("__init__", "callback", "define_by_run", "export", "observed", "sampler")
    ],
    "mlflow": ["mlflow"],
    "matplotlib": ["figures"],
}

collect_ignore = [
    f"skpg/integrations/{module}.py"
    for package, modules in BRIDGES.items()
    if find_spec(package) is None
    for module in modules
]


def pytest_collection_modifyitems(items):
    """Let MLflow do what its own dependencies deprecate."""
    for item in items:
        if "mlflow" in item.path.name:
            for category in ("DeprecationWarning", "FutureWarning", "ResourceWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))
