"""``python3 -m dashboard COMMAND``: makes the environment on first use, then hands over to the command line."""

import sys

from dashboard.bootstrap import BootstrapError, run_in_environment


def main() -> int:
    """Run one command; return its exit status."""
    try:
        run_in_environment(["-m", "dashboard", *sys.argv[1:]])
    except BootstrapError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from dashboard.command_line import run  # needs the pinned packages

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
