"""`netnode`, and `python -m simulator`: an interrupt ends it quietly from the first moment on."""

from __future__ import annotations

import sys

from simulator import interrupts

INTERRUPTED = 130


def main() -> int:
    """Run the command line; return its exit code."""
    interrupts.take_all()
    try:
        from simulator.cli import main as call

        return call()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        interrupts.ignore_all()  # while Python takes itself down


if __name__ == "__main__":
    sys.exit(main())
