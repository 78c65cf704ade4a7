"""The commands of ``python -m dashboard``. What a command needs is imported when it runs."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dashboard.errors import TriageError
from dashboard.settings import REPOSITORY, load_settings

APP = REPOSITORY / "dashboard" / "app.py"
DEFAULT_PORT = 8501
OWN_ADDRESS = "127.0.0.1"
FAILED = 1
INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    options = make_parser().parse_args(list(arguments))
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except TriageError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="python3 -m dashboard",
        description="Spine Triage: grades suspected cord compression on spine MRI. Research software, not a device.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    start = commands.add_parser("start", help="start the dashboard on this machine")
    start.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"port to listen on, {DEFAULT_PORT} by default")
    start.add_argument(
        "--address", default=OWN_ADDRESS, help=f"address to listen on, {OWN_ADDRESS} by default; others need sign-in"
    )
    start.set_defaults(command=_start)
    triage = commands.add_parser(
        "triage",
        help="grade studies without a browser",
        description="Grades studies without a browser. Prints one JSON document a study, one a line. Exit status: 0 "
        "when every study was handled, 2 when an input could not be read at all, 1 when models or DIR are unusable.",
    )
    triage.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, a folder or a ZIP")
    triage.add_argument(
        "--out", type=Path, metavar="DIR", help="also write DIR/<study_instance_uid>/result.json and masks.dcm"
    )
    triage.set_defaults(command=_triage)
    worker = commands.add_parser("worker", help="join the cluster that TRIAGE_SCHEDULER names")
    worker.add_argument("--child", action="store_true", help="as the server's child: have its jobs done")
    worker.set_defaults(command=_worker)
    audit = commands.add_parser(
        "audit",
        help="check or export the audit log",
        description="The log of who did what. check: exit status 0 when every line is as it was written, 2 when one "
        "is not, 1 when the log cannot be read. export: the log as JSON, one line an entry.",
    )
    what = audit.add_subparsers(title="what to do", required=True, metavar="check | export", dest="what")
    what.add_parser("check", help="say whether the log is whole")
    what.add_parser("export", help="print the log as JSON, one line an entry")
    audit.set_defaults(command=_audit)
    readings = commands.add_parser(
        "readings",
        help="export what persons confirmed, to adapt the model to this site",
        description="Writes slices whose grade persons confirmed or changed, without names and numbers of patients, "
        "into a new folder that `python -m models.training.train --from-readings DIR` adapts the model from.",
    )
    readings.add_argument("--out", type=Path, metavar="DIR", required=True, help="a folder that is new or empty")
    readings.set_defaults(command=_readings)
    return parser


def _port(text: str) -> int:
    """Port number from the command line."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("must be a number from 1 to 65535")
    return int(text)


def _start(options: argparse.Namespace) -> int:
    settings = load_settings()
    if options.address != OWN_ADDRESS:
        # The page checks this too; here it is said before anything has begun to listen.
        from dashboard.sharing.binding import check_binding

        check_binding(options.address, settings.sign_in)
    # The page runs in the repository, where its configuration lies; folders given relative to here stay where they are.
    os.environ |= {"TRIAGE_DATA_DIR": str(settings.data_dir), "TRIAGE_MODELS_DIR": str(settings.models_dir)}
    os.chdir(REPOSITORY)
    where = ["--server.address", options.address, "--server.port", str(options.port)]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), *where]
    os.execv(sys.executable, command)


def _triage(options: argparse.Namespace) -> int:
    from dashboard.work.command import triage_paths

    return triage_paths(options.paths, options.out, load_settings(), sys.stdout, sys.stderr)


def _worker(options: argparse.Namespace) -> int:
    from dashboard.work.worker_command import run_dispatcher, run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    (run_dispatcher if options.child else run_worker)(load_settings())
    return 0


def _readings(options: argparse.Namespace) -> int:
    from dashboard.work.readings_command import export_readings

    logging.getLogger("alembic").setLevel(logging.WARNING)
    export_readings(load_settings(), options.out, sys.stderr)
    return 0


def _audit(options: argparse.Namespace) -> int:
    from dashboard.work.audit_command import check_log, export_log

    logging.getLogger("alembic").setLevel(logging.WARNING)
    return (check_log if options.what == "check" else export_log)(load_settings(), sys.stdout)
