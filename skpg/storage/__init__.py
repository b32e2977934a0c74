"""Searches in one sqlite file, which go on after a crash."""
