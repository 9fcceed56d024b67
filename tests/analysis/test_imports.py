"""Foreign data becomes event files: the worked guide of docs/data_model.md, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.analysis.imports import Mapping, import_file
from detector.analysis.replay import replay_folder
from detector.core.errors import InputError
from tests import build
from tests.build import SHIPPED

GUIDE = (Path(__file__).parents[2] / "docs/data_model.md").read_text("utf-8")
[MAPPING] = re.findall(r"```yaml\n(stream: transactions\n.*?)```", GUIDE, re.S)
[EXPORT] = re.findall(r"```sql\n(COPY .*?)```", GUIDE, re.S)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bank's events and truth."""
    folder = tmp_path_factory.mktemp("bank")
    write_bank(folder, bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=200), 3_000)
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_guide_brings_a_bank_s_payments_back(bank: Path, tmp_path: Path, kind: str) -> None:
    """Exported under other names and in another form, then imported: the same signals."""
    export = tmp_path / f"payments.{kind}"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(EXPORT.replace("events/", f"{bank}/").replace("payments.csv", str(export)))
    (tmp_path / "map.yml").write_text(MAPPING)
    found = import_file(export, Mapping.read(tmp_path / "map.yml"), tmp_path / "in")
    lines = (bank / "transactions.jsonl").read_bytes().splitlines()
    assert (found["events"], found["left_out"]) == (len(lines), 0)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "transactions.jsonl").write_bytes((bank / "transactions.jsonl").read_bytes())
    stores = []
    for name, folder in (("a", alone), ("b", tmp_path / "in")):
        replay_folder(folder, tmp_path / f"{name}.duckdb", SHIPPED)
        stores.append(build.contents(tmp_path / f"{name}.duckdb", SHIPPED)["fraud_signals"])
    assert stores[0] == stores[1] and len(stores[0]) > 50
    truth = [json.loads(line) for line in (bank / "truth.jsonl").read_text().splitlines()]
    paid = {json.loads(line)["event_id"] for line in lines}
    labels = (tmp_path / "in/truth.jsonl").read_text().splitlines()
    expected = {row["event_id"] for row in truth} & paid
    assert {json.loads(line)["event_id"] for line in labels} == expected
    assert found["labelled"] == len(expected) > 0


FIELDS = {
    "event_id": "id", "transaction_id": "id", "occurred_at": "moment", "account_id": "'a'",
    "customer_id": "'c'", "amount": "amount",
}  # fmt: skip
CONSTANTS = {
    "transaction_type": "PURCHASE", "channel": "POS", "card_present": True, "currency": "AUD",
    "status": "APPROVED",
}  # fmt: skip


def test_what_breaks_the_contract_is_left_out_and_counted(tmp_path: Path) -> None:
    """By reason, with the number of the row; local times become UTC; the order is that of time."""
    (tmp_path / "x.csv").write_text(
        "id,moment,amount\n1,2026-01-05 12:00:00,5\n2,2026-01-05 11:00:00,7.5\n3,soon,1\n"
        "4,2026-01-05 11:00:00,3.999\n5,2026-01-05 11:00:00,-1\n6,2026-01-05 11:00:00,many\n"
    )
    mapping = Mapping(
        stream="transactions", fields=FIELDS, constants=CONSTANTS, timezone="Australia/Sydney"
    )
    found = import_file(tmp_path / "x.csv", mapping, tmp_path / "out")
    assert (found["events"], found["left_out"], found["labelled"]) == (2, 4, 0)
    assert {r["examples"][0]["row"] for r in found["reasons"]} == {3, 4}
    assert sum(r["rows"] for r in found["reasons"] if "$.amount" in r["reason"]) == 3
    lines = (tmp_path / "out/transactions.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [(e["event_id"], e["amount"]) for e in events] == [("2", "7.50"), ("1", "5.00")]
    assert events[0]["occurred_at"] == "2026-01-05T00:00:00.000000Z"
    assert not (tmp_path / "out/truth.jsonl").exists()
    with pytest.raises(InputError, match="already exists"):
        import_file(tmp_path / "x.csv", mapping, tmp_path / "out")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fields": {**FIELDS, "amount": "no_column"}}, "no_column"),
        ({"fields": {**FIELDS, "amount": "read_text('/etc/hostname')"}}, "cannot be read with"),
        ({"timezone": "Nowhere/Else"}, "Nowhere"),
    ],
)
def test_an_expression_that_does_not_work_is_named(
    tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    """Nor can it read other files."""
    (tmp_path / "x.csv").write_text("id,moment,amount\n1,2026-01-05 12:00:00,5\n")
    mapping = Mapping(**{"stream": "transactions", "fields": FIELDS, **given})
    with pytest.raises(InputError, match=message):
        import_file(tmp_path / "x.csv", mapping, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream: payments\nfields: {event_id: id}", "stream: Input should be"),
        ("stream: logins\nfields: {amount: a}", "amount is no field of logins; there are event_id"),
        ("fields: [1", "cannot be read"),
        ("stream: logins\nfields: {}\nother: 1", "fields: .*; other: "),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """With the key, and what is known."""
    (tmp_path / "map.yml").write_text(text)
    with pytest.raises(InputError, match=message):
        Mapping.read(tmp_path / "map.yml")
