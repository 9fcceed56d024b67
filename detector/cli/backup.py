"""`fraud backup` and `fraud restore`: copies of a store, also of a running one."""

from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.duckdb.at_rest import connect_to_read
from detector.adapters.duckdb.backup import back_up
from detector.adapters.duckdb.backup import restore as restore_backup
from detector.cli.ask_console import running_console
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import print_json
from detector.core.errors import StoreInUse


def backup(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A new folder; by default one beside the store, named by the time."),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Copy a store as of one moment.

    A running `fraud run` does it itself, beside the store.
    """
    try:
        db = connect_to_read(store)
    except StoreInUse as error:
        console = running_console(store)
        if console is None or folder is not None:
            hint = "leave out the folder" if console is not None else "it has no console to ask"
            raise StoreInUse(
                f"{error} It can only back itself up beside the store: {hint}."
            ) from None
        made = Path(console.post("/v1/backups")["folder"])
    else:
        try:
            made = back_up(db, store, folder and folder.resolve())
        finally:
            db.close()
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    if as_json:
        print_json({"folder": str(made), "bytes": size})
    else:
        print(f"{made}: {size / 1e6:,.1f} MB. Restore it with: fraud restore {made} --store PATH")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    store: Store = DEFAULT_STORE,
) -> None:
    """Make a store of a backup; never over an existing one."""
    restore_backup(folder, store)
    print(f"{store}: restored from {folder}. The next `fraud run --store {store}` continues it.")
