"""The command line. What is imported with it is next to nothing: a worker and the writer have no use for commands."""


def main() -> None:
    """The console script."""
    from gatekey.cli.commands import main as run

    run()
