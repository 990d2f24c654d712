"""`python -m archiver` is the command."""

from archiver.cli import main

main()
