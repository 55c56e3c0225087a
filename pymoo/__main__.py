"""``python -m pymoo``: the command line."""

from pymoo.cli import main

if __name__ == "__main__":
    main()
