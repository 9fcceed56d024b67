"""Settings of the synthetic bank, from the environment or `.env`, each declared once."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from producers.errors import ConfigError

# A customer has 1.6 accounts, and benign use stays below 4 transactions per minute and account;
# this many customers per transaction a second leave room under that limit.
CUSTOMERS_PER_TRANSACTION_RATE = 20


def _setting(default: Any, meaning: str, allowed: str, **limits: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"allowed": allowed}, **limits)


class ProducerSettings(BaseSettings):
    """Behaviour of the synthetic bank and where it publishes; immutable.

    Keyword arguments take precedence over the environment, the environment over `.env`. Raises
    `ConfigError` for an invalid value.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, allow_inf_nan=False
    )

    seed: int = _setting(7, "Makes a run repeatable.", "a whole number")
    profile: Literal["demo", "realistic", "adversarial"] = _setting(
        "demo",
        "demo is flat in time with short frauds; realistic follows hours of day and weekdays; "
        "adversarial adds frauds that avoid the thresholds and honest customers who cross them.",
        "demo, realistic or adversarial",
    )
    fraud_rate: float = _setting(
        0.005, "Expected share of fraudulent transactions.", "a number from 0 to 1", ge=0, le=1
    )
    transaction_rate: float = _setting(
        20.0, "Transactions per second.", "a number above 0, at most 100000", gt=0, le=100_000
    )
    login_rate: float = _setting(
        8.0, "Logins per second.", "a number from 0 to 100000", ge=0, le=100_000
    )
    card_event_rate: float = _setting(
        0.5, "Card events per second.", "a number from 0 to 100000", ge=0, le=100_000
    )
    noise_alert_rate: float = _setting(
        0.2, "False alarms per second.", "a number from 0 to 100000", ge=0, le=100_000
    )
    kyc_rate: float = _setting(
        0.1, "KYC profiles renewed per second.", "a number from 0 to 100000", ge=0, le=100_000
    )
    structuring_threshold: Decimal | None = _setting(
        None,
        "Cash from this amount on is reported; by default that of the fraud patterns.",
        "an amount from 100 to 1000000000",
        ge=100,
        le=1_000_000_000,
    )
    customer_pool_size: int = _setting(
        2000, "Customers of the bank.", "a whole number from 10 to 1000000", ge=10, le=1_000_000
    )

    kafka_bootstrap_servers: str = _setting(
        "localhost:19092", "Bootstrap brokers.", "host:port, comma-separated", min_length=1
    )
    kafka_compression: Literal["gzip", "lz4", "snappy", "zstd"] | None = _setting(
        None, "Compression of batches; all but gzip need an extra.", "gzip, lz4, snappy or zstd"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _setting(
        "PLAINTEXT", "Security protocol.", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = _setting(
        None, "SASL mechanism.", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: str | None = _setting(None, "SASL user.", "a text")
    kafka_sasl_password: SecretStr | None = _setting(None, "SASL password.", "a text")
    kafka_ssl_cafile: str | None = _setting(
        None, "Certificates to trust, in a PEM file.", "the path of a file"
    )

    metrics_host: str = _setting("127.0.0.1", "Address of the metrics page.", "an address")
    metrics_port: int = _setting(
        9108, "Port of the metrics page; 0 for none.", "a whole number from 0 to 65535",
        ge=0, le=65_535,
    )  # fmt: skip

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explain(error)) from None

    @property
    def follows_the_clock(self) -> bool:
        """Whether activity follows hours of the day and weekdays, and frauds take their time."""
        return self.profile != "demo"

    @property
    def pool_size_needed(self) -> int:
        """The smallest pool whose benign customers can produce this transaction rate."""
        return max(10, round(self.transaction_rate * CUSTOMERS_PER_TRANSACTION_RATE))

    def kafka_options(self) -> dict[str, Any]:
        """Return the connection arguments for a kafka-python client."""
        password = self.kafka_sasl_password
        options = {
            "bootstrap_servers": self.kafka_bootstrap_servers.split(","),
            "security_protocol": self.kafka_security_protocol,
            "compression_type": self.kafka_compression,
            "sasl_mechanism": self.kafka_sasl_mechanism,
            "sasl_plain_username": self.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
            "ssl_cafile": self.kafka_ssl_cafile,
        }
        return {name: value for name, value in options.items() if value is not None}


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        extra = ProducerSettings.model_fields[name].json_schema_extra
        allowed = extra["allowed"] if isinstance(extra, dict) else "another value"
        came = "a hidden value" if "password" in name else repr(problem["input"])
        lines.append(
            f"{name.upper()} is {came}; allowed is {allowed}. "
            "Correct it in the environment, in .env or in the call."
        )
    return "\n".join(lines)
