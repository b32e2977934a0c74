"""The space of hyperparameters: from what a user writes to rows of numbers, and back.

===============  =========================================================================
`types`          the types of arrays and of candidates
`scalars`        numbers of any type: conversion to float, comparison up to rounding
`equality`       whether two choices of a list are the same
`dimensions`     one hyperparameter: `Choice` and its kinds, `Continuous` or `Discrete`
`lists`          what a user writes beside plain lists: `Categorical` and `Ordinal`
`logrange`       integers on a logarithmic scale
`adapting`       distributions and choices of other kinds, as those that are known
`distributions`  from a distribution to a dimension, with all checks
`parsing`        from `param_distributions` to dimensions, with all checks
`space`          `Space`: from candidates to actions and back
`features`       actions as the rows of a design matrix, for models of the reward
===============  =========================================================================

Each module imports only from those above it.
"""
