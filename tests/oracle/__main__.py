"""python -m tests.oracle FILE...: compare traces with what Go's own reader says of them."""

import sys

from tests.oracle import main

if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("usage: python -m tests.oracle TRACE...")
    sys.exit(min(main(sys.argv[1:]), 1))
