"""The event contract: what is accepted, what is refused, and what is written."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from producers.models import TOPICS, FraudAlert, KycProfile, Login, Transaction, json_schemas

TRUTH = {"is_fraud", "fraud_scenario", "scenario_instance"}
AT = datetime(2026, 1, 5, 0, 0, 0, 123_000, tzinfo=UTC)
REQUIRED: dict[str, Any] = {
    "event_id": "evt_1", "transaction_id": "txn_1", "account_id": "acc_1", "customer_id": "cust_1",
    "transaction_type": "PURCHASE", "channel": "POS", "card_present": True, "currency": "AUD",
    "status": "APPROVED",
}  # fmt: skip


def transaction(**values: Any) -> Any:
    return Transaction(**(REQUIRED | {"amount": Decimal("12.50"), "occurred_at": AT} | values))


def as_json(**values: Any) -> Any:
    record = REQUIRED | {"amount": "12.50", "occurred_at": "2026-01-05T00:00:00.123000Z"} | values
    return json.dumps(record)


@pytest.mark.parametrize("model", [Transaction, Login, FraudAlert])
def test_labelled_models_can_be_read_in_python(model: Any) -> None:
    """The truth is there for those who make the event."""
    assert model.model_fields.keys() >= TRUTH


def test_the_truth_is_in_no_payload(events: Any) -> None:
    """Not one payload of a fraudulent stream names a truth field or a scenario's instance."""
    for event in events:
        assert not TRUTH & json.loads(event.to_json()).keys()


def test_the_truth_is_in_no_dump() -> None:
    """`model_dump` leaves the truth out too."""
    assert not TRUTH & transaction(is_fraud=True, fraud_scenario="velocity").model_dump().keys()


def test_the_truth_is_in_no_schema() -> None:
    """The exported JSON Schema does not mention the truth."""
    for schema in json_schemas().values():
        assert not TRUTH & schema["properties"].keys()


def test_a_payload_cannot_set_the_truth() -> None:
    """Labels in a payload are ignored, whatever they are."""
    event = Transaction.model_validate_json(as_json(is_fraud="yes", fraud_scenario=3))
    assert (event.is_fraud, event.fraud_scenario) == (False, None)


def test_five_topics_have_a_model() -> None:
    """The five topics of the bank are known by name."""
    assert set(TOPICS) == {
        "banking.transactions", "banking.logins", "banking.card_events", "banking.alerts",
        "banking.kyc_profiles",
    }  # fmt: skip


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_reads_back_as_it_was_written(topic: str, quiet_events: Any) -> None:
    """JSON there and back gives an equal event."""
    written = next(event for event in quiet_events if event.topic == topic)
    assert TOPICS[topic].model_validate_json(written.to_json()) == written


def test_a_payload_has_exactly_the_fields_of_its_schema() -> None:
    """The schema's properties are the keys that are written."""
    written = json.loads(transaction().to_json())
    assert written.keys() == json_schemas()["banking.transactions"]["properties"].keys()


def test_a_payload_is_compact_json() -> None:
    """No spaces between keys and values."""
    assert b'"event_id":"evt_1",' in transaction().to_json()


def test_an_amount_travels_as_a_decimal_string() -> None:
    """A `Decimal` becomes a string with two decimals."""
    assert json.loads(transaction(amount=Decimal("5")).to_json())["amount"] == "5.00"


@pytest.mark.parametrize("amount", ["0.00", "0.01", "9999.99", "999999999999.99"])
def test_a_proper_amount_is_accepted(amount: Any) -> None:
    """Two decimals, up to twelve digits before them."""
    assert Transaction.model_validate_json(as_json(amount=amount)).amount == Decimal(amount)


@pytest.mark.parametrize(
    "amount",
    [12.5, 12, "12", "12.5", "12.500", "-1.00", "-0.00", "01.00", "1e3", "NaN", " 1.00", "1.00\n",
     "1000000000000.00", "", None],
)  # fmt: skip
def test_any_other_amount_is_refused(amount: Any) -> None:
    """Numbers, signs, other decimals and leading zeros are no amounts."""
    with pytest.raises(ValidationError):
        Transaction.model_validate_json(as_json(amount=amount))


@pytest.mark.parametrize("amount", [12.5, "12.50", Decimal("-1"), Decimal("NaN"), Decimal("1.005")])
def test_an_amount_in_python_is_an_exact_decimal(amount: Any) -> None:
    """Floats, strings, negative and finer amounts are refused in Python as well."""
    with pytest.raises(ValidationError):
        transaction(amount=amount)


def test_a_time_is_written_in_utc() -> None:
    """The payload has the form that the contract shows."""
    assert json.loads(transaction().to_json())["occurred_at"] == "2026-01-05T00:00:00.123000Z"


def test_an_offset_is_converted_to_utc() -> None:
    """Sydney's morning is read as the same moment in UTC, from JSON and in Python."""
    read = Transaction.model_validate_json(as_json(occurred_at="2026-01-05T11:00:00+11:00"))
    made = transaction(occurred_at=datetime(2026, 1, 5, 11, tzinfo=timezone(timedelta(hours=11))))
    assert read.occurred_at == made.occurred_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert read.occurred_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "moment",
    [1_767_571_200, "1767571200", "2026-01-05", "2026-01-05T00:00:00", "2026-01-05_00:00:00Z",
     "2026-01-05T00:00Z", "2026-13-05T00:00:00Z", "0001-01-01T00:00:00+10:00", "now", None],
)  # fmt: skip
def test_any_other_time_is_refused(moment: Any) -> None:
    """Unix numbers, naive times and other forms are no times."""
    with pytest.raises(ValidationError):
        Transaction.model_validate_json(as_json(occurred_at=moment))


def test_a_naive_time_is_refused_in_python() -> None:
    """A time without an offset could be anything."""
    with pytest.raises(ValidationError):
        transaction(occurred_at=datetime(2026, 1, 5))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ""), ("event_id", "x" * 65), ("account_id", 17), ("card_present", "true"),
        ("card_present", 1), ("currency", "aud"), ("currency", "AUD\n"), ("channel", "PHONE"),
        ("status", "approved"), ("merchant_country", "AUS"), ("merchant_category", "541"),
        ("merchant_category", "5411\n"), ("card_bin", "90361"), ("card_last4", "12345"),
        ("latitude", 90.1), ("longitude", -180.5), ("latitude", "-33.8"), ("city", ""),
        ("ip_address", "1" * 46),
    ],
)  # fmt: skip
def test_a_field_out_of_its_range_is_refused(field: str, value: Any) -> None:
    """Each field is checked strictly, without conversion."""
    with pytest.raises(ValidationError):
        Transaction.model_validate_json(as_json(**{field: value}))


@pytest.mark.parametrize("token", ["4111111111111111", "9tok", "tok", "tok 1234", "tok_1\n"])
def test_a_card_number_is_no_token(token: str) -> None:
    """A token begins with a letter and holds no blanks."""
    with pytest.raises(ValidationError):
        transaction(card_token=token)


@pytest.mark.parametrize("field", [*REQUIRED, "amount", "occurred_at"])
def test_a_required_field_must_be_there(field: str) -> None:
    """Leaving out any required field is refused."""
    record = json.loads(as_json())
    del record[field]
    with pytest.raises(ValidationError, match=field):
        Transaction.model_validate_json(json.dumps(record))


def test_unknown_fields_are_ignored() -> None:
    """A newer sender may say more than this reader knows."""
    assert Transaction.model_validate_json(as_json(loyalty="gold")).event_id == "evt_1"


def test_an_event_cannot_be_changed() -> None:
    """Events are facts."""
    with pytest.raises(ValidationError):
        transaction().amount = Decimal("1.00")


@pytest.mark.parametrize("confidence", [-0.1, 1.1, "0.5", float("nan")])
def test_confidence_is_from_zero_to_one(confidence: Any) -> None:
    """Anything else is no confidence."""
    with pytest.raises(ValidationError):
        FraudAlert(
            event_id="e", customer_id="c", alert_type="VELOCITY", severity="HIGH",
            confidence=confidence, rule_id="R", occurred_at=AT,
        )  # fmt: skip


def test_ids_in_lists_are_checked_too() -> None:
    """An empty account id does not hide in a profile."""
    with pytest.raises(ValidationError):
        KycProfile(
            event_id="e", customer_id="c", account_ids=[""], registered_device_ids=[],
            risk_tier="LOW", kyc_status="VERIFIED", is_pep=False, country="AU",
            home_latitude=-33.0, home_longitude=151.0, segment="RETAIL", occurred_at=AT,
        )  # fmt: skip
