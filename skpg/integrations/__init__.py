"""Bridges to other projects.

Public are `optuna` and `mlflow`, which need the packages that they are named after; `tracking`
and `figures` are what they have in common.
"""
