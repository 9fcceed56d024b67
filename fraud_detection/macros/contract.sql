{#-
  The event contract (producers/models.py) in SQL: the kind of each field of a stream, and whether it may
  be missing. A test compares it with the contract of the embedded engine.

  A raw record is JSON. `kind` says how a field is checked and which type it gets.
-#}
{% macro contract(stream) -%}
  {%- set fields = {
      'transactions': {
          'event_id': 'id', 'occurred_at': 'time', 'transaction_id': 'id', 'account_id': 'id',
          'customer_id': 'id',
          'transaction_type': ['PURCHASE', 'CASH_DEPOSIT', 'CASH_WITHDRAWAL', 'TRANSFER', 'BILL_PAYMENT'],
          'channel': ['POS', 'ECOMMERCE', 'ATM', 'BRANCH', 'MOBILE'],
          'card_present': 'flag', 'amount': 'money', 'currency': 'currency',
          'status': ['APPROVED', 'DECLINED', 'REVERSED'],
          'card_token': 'card_token', 'card_bin': 'digits_6', 'card_last4': 'digits_4',
          'merchant_id': 'id', 'merchant_category': 'digits_4', 'merchant_country': 'country',
          'city': 'city', 'latitude': 'latitude', 'longitude': 'longitude', 'device_id': 'id',
          'ip_address': 'ip_address', 'payee_id': 'id',
      },
      'logins': {
          'event_id': 'id', 'occurred_at': 'time', 'customer_id': 'id',
          'outcome': ['SUCCESS', 'FAILURE'],
          'failure_reason': ['BAD_PASSWORD', 'MFA_FAILED', 'UNKNOWN_USER', 'LOCKED'],
          'device_id': 'id', 'ip_address': 'ip_address', 'country': 'country',
      },
      'card_events': {
          'event_id': 'id', 'occurred_at': 'time', 'card_token': 'card_token', 'account_id': 'id',
          'customer_id': 'id',
          'event_type': [
              'ISSUED', 'ACTIVATED', 'PIN_CHANGED', 'LIMIT_CHANGED', 'WALLET_PROVISIONED',
              'BLOCKED', 'UNBLOCKED', 'REPLACED', 'EXPIRED',
          ],
      },
      'alerts': {
          'event_id': 'id', 'occurred_at': 'time', 'customer_id': 'id', 'alert_type': 'alert_type',
          'severity': ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'], 'confidence': 'share',
          'rule_id': 'id', 'account_id': 'id', 'transaction_id': 'id',
      },
      'kyc_profiles': {
          'event_id': 'id', 'occurred_at': 'time', 'customer_id': 'id', 'account_ids': 'ids',
          'registered_device_ids': 'ids', 'risk_tier': ['LOW', 'MEDIUM', 'HIGH'],
          'kyc_status': ['VERIFIED', 'PENDING', 'EXPIRED', 'REJECTED'], 'is_pep': 'flag',
          'country': 'country', 'home_latitude': 'latitude', 'home_longitude': 'longitude',
          'segment': ['RETAIL', 'PREMIUM', 'STUDENT', 'BUSINESS', 'CASH_BUSINESS'],
      },
  } -%}
  {%- set optional = {
      'transactions': [
          'card_token', 'card_bin', 'card_last4', 'merchant_id', 'merchant_category',
          'merchant_country', 'city', 'latitude', 'longitude', 'device_id', 'ip_address',
          'payee_id',
      ],
      'logins': ['failure_reason', 'device_id', 'ip_address', 'country'],
      'alerts': ['account_id', 'transaction_id'],
  } -%}
  {%- set found = {} -%}
  {%- for name, kind in fields[stream].items() -%}
    {%- set choices = none if kind is string else kind -%}
    {%- do found.update({name: {
        'kind': 'choice' if choices else kind,
        'choices': choices,
        'optional': name in optional.get(stream, []),
    }}) -%}
  {%- endfor -%}
  {{ return(found) }}
{%- endmacro %}


{#-
  Whether the raw table of a stream is typed: loaded from files whose columns have the types of the staging
  model, so that nothing has to be read from text. Only on DuckDB, where the loader says so.
-#}
{% macro is_typed(stream) -%}
  {{ return(stream in var('typed_streams', [])) }}
{%- endmacro %}


{#-
  Whether a present field meets the contract; `name` is its text, `type_of_<name>` its type in JSON. Of a typed
  table `name` is its value.
-#}
{% macro keeps_contract(name, field, typed=false) -%}
  {%- set patterns = {
      'country': '^[A-Z]{2}$',
      'currency': '^[A-Z]{3}$',
      'digits_4': '^[0-9]{4}$',
      'digits_6': '^[0-9]{6}$',
      'card_token': '^[A-Za-z][A-Za-z0-9_-]{3,63}$',
      'alert_type': '^[A-Z][A-Z0-9_]{2,39}$',
      'money': '^(0|[1-9][0-9]{0,11})[.][0-9]{2}$',
  } -%}
  {%- set lengths = {'id': 64, 'city': 100, 'ip_address': 45} -%}
  {%- set ranges = {'latitude': [-90, 90], 'longitude': [-180, 180], 'share': [0, 1]} -%}
  {%- set types = {'flag': 'boolean', 'ids': 'array', 'latitude': 'number', 'longitude': 'number', 'share': 'number'} -%}
  {{ 'true' if typed else 'type_of_' ~ name ~ ' in (' ~ quoted(json_types(types.get(field.kind, 'string'))) ~ ')' }}
  {%- if typed and field.kind == 'money' %}
            and {{ name }} between 0 and 999999999999.99
  {%- elif typed and field.kind == 'time' %}
            and {{ name }} between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz)
  {%- elif field.kind in patterns %}
            and {{ name }} ~ '{{ patterns[field.kind] }}'
  {%- elif field.kind in lengths %}
            and length({{ name }}) between 1 and {{ lengths[field.kind] }}
            and not {{ name }} ~ '[\x00-\x1f\x7f]'
            and {{ name }} not in ('.', '..')
  {%- elif field.kind in ranges %}
            and coalesce({{ cast_or_null(name, 'double precision') }} between {{ ranges[field.kind][0] }} and {{ ranges[field.kind][1] }}, false)
  {%- elif field.kind == 'choice' %}
            and {{ name }} in ({{ quoted(field.choices) }})
  {%- elif field.kind == 'ids' %}
            and {{ name }} ~ '^\[("([^"\\\x7f]|\\["\\/]){1,64}"(, ?"([^"\\\x7f]|\\["\\/]){1,64}")*)?\]$'
            and not {{ name }} ~ '"[.][.]?"'
  {%- elif field.kind == 'time' %}
            and {{ name }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce({{ instant(name) }} between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)
  {%- endif -%}
{%- endmacro %}


{#- An RFC 3339 text as a time; digits after the microsecond are dropped, not rounded. -#}
{% macro instant(text) -%}
  {%- set size -%}
    case when right({{ text }}, 1) in ('Z', 'z') then 1 when left(right({{ text }}, 3), 1) = ':' then 6 else 5 end
  {%- endset -%}
  {%- set canonical -%}
    left({{ text }}, 10) || 'T' || substr({{ text }}, 12, 8)
                || substr(left({{ text }}, length({{ text }}) - {{ size }}), 20, 7)
                || case
                    when right({{ text }}, 1) in ('Z', 'z') then 'Z'
                    else left(right({{ text }}, {{ size }}), 3) || ':' || right({{ text }}, 2)
                end
  {%- endset -%}
  {{ cast_or_null(canonical, 'timestamptz') }}
{%- endmacro %}


{#- The first field of a raw record that breaks the contract, or null. -#}
{% macro contract_breach(stream) -%}
case
  {%- for name, field in contract(stream).items() %}
        {%- set kept = keeps_contract(name, field, is_typed(stream)) %}
        {%- if field.optional %}
        when {{ name }} is not null and not ({{ kept }}) then '{{ name }}'
        {%- else %}
        when {{ name }} is null or not ({{ kept }}) then '{{ name }}'
        {%- endif %}
  {%- endfor %}
    end
{%- endmacro %}


{#- The typed columns of a stream, in the order of the contract. -#}
{% macro typed_columns(stream) -%}
  {%- set types = {
      'money': money_type(), 'flag': 'boolean', 'latitude': 'double precision',
      'longitude': 'double precision', 'share': 'double precision',
  } -%}
  {%- for name, field in contract(stream).items() %}
    {% if is_typed(stream) %}{{ name }}
    {%- elif field.kind in types %}cast({{ name }} as {{ types[field.kind] }}) as {{ name }}
    {%- elif field.kind == 'time' %}{{ instant(name) }} as {{ name }}
    {%- elif field.kind == 'ids' %}listed_{{ name }} as {{ name }}
    {%- else %}{{ name }}{% endif %}
    {{- ',' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}


{#-
  CTEs that end with `judged`: the records of a stream as text, each with the first field that breaks the
  contract in `broken_field`.
-#}
{% macro judged(stream) -%}
records_of_{{ stream }} as (
    select
        {{ place_of_arrival() }}
  {%- for name, field in contract(stream).items() -%}
        ,
    {%- if is_typed(stream) %}
        {{ name }}
    {%- else %}
        {{ json_text(name) }} as {{ name }},
        {{ json_type(name) }} as type_of_{{ name }}
    {%- endif %}
    {%- if field.kind == 'ids' %},
        {{ json_texts(name) }} as listed_{{ name }}
    {%- endif %}
  {%- endfor %}
    from {{ raw_records(stream) }}
),

judged_{{ stream }} as (
    select
        *,
        {{ contract_breach(stream) }} as broken_field
    from records_of_{{ stream }}
)
{%- endmacro %}


{#-
  A staging model: the records of a stream that meet the contract, typed. Redeliveries are dropped: the first
  record of an event_id that meets the contract wins. Broken records are in rejected_records.
-#}
{% macro staged(stream) -%}
with {{ judged(stream) }},

valid as (
    select * from judged_{{ stream }}
    where
        broken_field is null
        {%- if target.type == 'risingwave' %}
        -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
        and {{ instant('occurred_at') }}
            <= received_at + interval '{{ var('allowed_clock_skew_seconds') }} seconds'
        {%- endif %}
)

{% if target.type == 'risingwave' -%}
select distinct on (event_id)
    {{- typed_columns(stream) }}
from valid
{%- else -%}
select
    {{- typed_columns(stream) }}
from valid
qualify row_number() over (partition by event_id order by arrival) = 1
{%- endif %}
{%- endmacro %}


{#- The amount in the base currency, halves of a cent rounded up; null for a currency without a rate. -#}
{% macro base_amount() -%}
  {%- set currencies = var('currencies') -%}
    cast(case currency
        when '{{ currencies.base }}' then amount
  {%- for code, rate in currencies.rates.items() %}
        when '{{ code }}' then round(amount * {{ rate }}, 2)
  {%- endfor %}
    end as {{ money_type() }})
{%- endmacro %}


{#- Where the raw records of a stream are: a Kafka table on RisingWave, a loaded table on DuckDB. -#}
{% macro raw_records(stream) -%}
  {{ ref('src_' ~ stream) if target.type == 'risingwave' else source('events', 'src_' ~ stream) }}
{%- endmacro %}


{#- What the database knows of a record's arrival. -#}
{% macro place_of_arrival() -%}
  {{ 'received_at, kafka_partition, kafka_offset' if target.type == 'risingwave' else 'rowid as arrival' }}
{%- endmacro %}


{#-
  The DDL of a stream's Kafka table: every record that is JSON, in the order of arrival. It has no primary key:
  that would make it an upsert stream, below which every min() keeps all its rows.
-#}
{% macro kafka_table(stream) -%}
create table if not exists {{ this }} (
  {%- for name, field in contract(stream).items() if field.kind == 'ids' %}
    {{ name }} varchar[],
  {%- endfor %}
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.{{ stream }}',
    properties.bootstrap.server = '{{ setting('kafka_brokers') }}',
    scan.startup.mode = 'earliest'
    {%- if stream != 'kyc_profiles' %},
    retention_seconds = {{ setting('keep_seconds') }}
    {%- endif %}
)
format plain encode json
{%- endmacro %}


{#- The DDL of a stream's raw bytes, since RisingWave silently skips what is not JSON. -#}
{% macro kafka_bytes(stream) -%}
create source if not exists {{ this }} (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.{{ stream }}',
    properties.bootstrap.server = '{{ setting('kafka_brokers') }}',
    scan.startup.mode = 'earliest'
)
format plain encode bytes
{%- endmacro %}


{% macro streams() -%}
  {{ return(['transactions', 'logins', 'card_events', 'alerts', 'kyc_profiles']) }}
{%- endmacro %}

{% macro quoted(values) -%}
  {%- for value in values %}'{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
