"""``python -m skrehab``: the command line."""

from skrehab.serve.worker import main

if __name__ == "__main__":
    main()
