"""Runs pymoo from a checkout: ``python cli.py serve``."""

from pymoo.cli import main

if __name__ == "__main__":
    main()
