"""`python -m archiver` is the command."""

from archiver.cli import main

if __name__ == "__main__":  # a process started by this one reads this file, too
    main()
