"""Bridges to other projects.

Public are `optuna` and `mlflow`, which need the packages that they are named after; `tracking`
is what they have in common.
"""
