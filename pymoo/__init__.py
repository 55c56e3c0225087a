"""pymoo: a MOO language interpreter and server (distribution ``lambdamoo-python``)."""

__version__ = "0.1.0"
