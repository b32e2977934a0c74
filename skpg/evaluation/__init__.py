"""Folds in, scores out: cross-validation that has never heard of a policy or of a file."""
