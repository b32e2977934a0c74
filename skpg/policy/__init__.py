"""Distributions over actions: an actor per hyperparameter, and their product."""
