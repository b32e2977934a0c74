"""Reports on searches, in words, figures and tables."""
