import pytest

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def no_figures_left():
    """Figures of a test are closed at its end; none is shown."""
    import matplotlib

    matplotlib.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
