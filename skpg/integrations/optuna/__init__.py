"""Optuna: our learners as a sampler, and searches as studies, for optuna-dashboard.

Needs ``pip install "skpg[optuna]"``.
"""

from skpg.integrations.optuna.callback import OptunaCallback
from skpg.integrations.optuna.export import export_study
from skpg.integrations.optuna.sampler import PolicyGradientSampler

__all__ = ["OptunaCallback", "PolicyGradientSampler", "export_study"]
