"""``python -m reverseflow`` is the ``reverseflow`` command."""

from reverseflow.cli import main

if __name__ == "__main__":
    main()
