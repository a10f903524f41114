"""``python -m lambent.cli``: the command line without its script."""

import sys

from lambent.cli.main import main

sys.exit(main())
