"""``python -m lambent.cli``: the command line without its script."""

import sys

from lambent.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
