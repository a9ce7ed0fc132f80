"""``zoo``: finds the command, runs it, and turns errors into one sentence and an exit status.

Exit status: 0 done; 1 a run failed; 2 the request was wrong; 3 finished, but not converged;
129, 130 and 143 interrupted; 141 nobody read the output to its end.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo import __version__
from zoo.cli import document
from zoo.errors import UnknownNameError, UsageError, ZooError
from zoo.terminal.streams import OutputError, is_broken_pipe, redirect_to_devnull, visible, visible_streams

COMMANDS = {
    "list": "algorithms, representations, environments and evaluators that are installed",
    "train": "train an algorithm or representation on an environment",
    "eval": "judge stored runs, or a file, with an evaluator",
    "show": "spec, progress and metrics of a run",
    "runs": "the stored runs below a directory, one line each",
    "rm": "remove stored runs, after asking",
    "diff": "differences of two runs: options, versions, results",
    "presets": "settings that an algorithm's plugin recommends for an environment",
    "plugins": "installed plugins, their state, and what they offer",
    "new-plugin": "write a new plugin package that installs, trains and passes the tests",
}
USAGE = """\
usage: zoo [--plugin FILE.py] [--debug] [--version] COMMAND ...

Reinforcement-learning and in-context-learning algorithms as plugins.

commands:
{commands}
options:
  --plugin FILE.py  register a Python file as a plugin, without packaging; may be repeated
  --debug           show tracebacks
  --version         print the version
  -h, --help        print this

examples:
  zoo list
  zoo train reload two-state
  zoo train ppo CartPole-v1 --steps 50000 --seeds 0:5 --jobs 2
  zoo COMMAND --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the exit status is returned, never raised."""
    args = list(sys.argv[1:] if argv is None else argv)
    with visible_streams():
        try:
            status = _status(args)
            sys.stdout.flush()
            sys.stderr.flush()
        except OutputError as closed:
            if closed.exit_code == 1:
                sys.stderr.write(f"zoo: {closed}\n")
            return closed.exit_code
        except OSError as error:  # past our streams, as by sys.stdout.buffer; what was saved stays
            if not is_broken_pipe(error):
                raise
            for stream in (sys.stdout, sys.stderr):
                redirect_to_devnull(stream)
            return OutputError(error).exit_code
    return status


def _status(args: list[str]) -> int:
    """Run one command line, and report errors."""
    debug = "--debug" in args
    as_json = "--json" in args
    try:
        if not document.wanted(args):
            return _dispatch(args)
        with document.reserved():
            try:
                return _dispatch(args)
            except ZooError as error:
                if debug:
                    raise
                return _report(error, as_json)
    except ZooError as error:
        if debug:
            raise
        return _report(error, as_json)
    except OutputError:
        raise
    except KeyboardInterrupt:
        sys.stderr.write("\nzoo: interrupted.\n")
        return 130
    except SystemExit as end:  # argparse and tyro leave this way after printing a help text
        if end.code is None or isinstance(end.code, int):
            return int(end.code or 0)
        sys.stderr.write(f"{end.code}\n")
        return 1


def _report(error: ZooError, as_json: bool) -> int:
    message = visible(" ".join(error.message.split()))
    sys.stderr.write(f"zoo: {message}\n")
    if error.hint:
        sys.stderr.write(f"     {visible(error.hint)}\n")
    if as_json and not document.written():
        document.emit({"error": message, "hint": error.hint, "exit_code": error.exit_code})
    return error.exit_code


def _dispatch(args: list[str]) -> int:
    files: list[Path] = []
    debug = False
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        name, equals, value = flag.partition("=")
        if flag in ("-h", "--help"):
            print(_usage(files, debug), end="")
            return 0
        if flag == "--version":
            print(f"zoo {__version__}")
            return 0
        if flag == "--debug":
            debug = True
        elif name == "--plugin":
            if not equals and not args:
                raise UsageError("--plugin has no value: expected --plugin FILE.py.")
            files.append(Path(value if equals else args.pop(0)))
        else:
            raise UnknownNameError(
                "option", flag, ["--plugin", "--debug", "--version", "--help"], "zoo --help lists all."
            )
    if not args:
        print(_usage(files, debug), end="")
        return 2
    command, *rest = args
    if "--debug" in rest:
        rest.remove("--debug")
        debug = True
    if "--trust" in rest:  # last, so that nothing installed is hidden by what lies here
        sys.path.append(str(Path.cwd()))
    from zoo.cli.parser import CommandOptions  # only now: the usage needs none of it

    options = CommandOptions(files=tuple(files), debug=debug)
    if command not in COMMANDS:
        from zoo.cli.plugin_commands import run

        return run(command, rest, options, list(COMMANDS))
    module = importlib.import_module(f"zoo.cli.commands.{command.replace('-', '_')}")
    status: int = module.main(rest, options)
    return status


def _usage(files: Sequence[Path], debug: bool) -> str:
    """The help text, with the commands of plugins after those of zoo."""
    from zoo.cli.parser import CommandOptions
    from zoo.cli.plugin_commands import summaries

    added = summaries(CommandOptions(files=tuple(files), debug=debug).registry())
    lines = (f"  {name:<12}{summary}\n" for name, summary in {**COMMANDS, **added}.items())
    return USAGE.format(commands="".join(lines))


if __name__ == "__main__":
    sys.exit(main())
