"""Doctests of bridges to projects that are not installed are left out."""

from importlib.util import find_spec

import pytest

# By the package that they need: files and folders of skpg/integrations.
BRIDGES = {"optuna": "optuna", "mlflow": "mlflow.py", "matplotlib": "figures.py"}

collect_ignore = [
    f"skpg/integrations/{bridge}"
    for package, bridge in BRIDGES.items()
    if find_spec(package) is None
]


def pytest_collection_modifyitems(items):
    """Let MLflow do what its own dependencies deprecate."""
    for item in items:
        if "mlflow" in item.path.name:
            for category in ("DeprecationWarning", "FutureWarning", "ResourceWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))
