"""A model."""


def before():
    pass


def forward(x):
    """Pass forward."""
    return x
