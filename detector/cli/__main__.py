"""`python -m detector.cli`, the same as `fraud`."""

from detector.cli.app import main

main()
