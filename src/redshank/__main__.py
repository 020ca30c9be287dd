"""``python -m redshank``: the same as the ``redshank`` command."""

from redshank.cli import main

main()
