"""scikit-learn's own tests of its searches, run on ours.

Nothing is copied: the test modules of the installed wheel are imported once more, with our
classes in the place of `RandomizedSearchCV` and `GridSearchCV`, and their tests collected here.
"""
