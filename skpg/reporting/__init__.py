"""Reports on searches, in words, figures and tables."""

from skpg.reporting.writing import report

__all__ = ["report"]
