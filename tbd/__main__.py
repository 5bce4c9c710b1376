"""`python -m tbd` is `tbd`."""

import sys

from tbd.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
