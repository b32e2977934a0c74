"""What a user writes as a space of hyperparameters, and the numbers that it becomes."""
