"""`python -m antisite` is the `antisite` command."""

from .cli.main import main

main()
