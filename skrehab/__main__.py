"""``python -m skrehab``: the command line."""

from skrehab.cli.main import main

if __name__ == "__main__":
    main()
