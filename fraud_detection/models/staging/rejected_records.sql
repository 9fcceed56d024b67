{#- RisingWave silently skips records that it cannot read; this view lists them. -#}
{%- set place = 'received_at, kafka_partition, kafka_offset' if target.type == 'risingwave'
    else 'cast(null as timestamptz) as received_at, cast(null as varchar) as kafka_partition, cast(null as varchar) as kafka_offset' -%}
with
{%- for stream in streams() %}
{{ judged(stream) }}{{ ',' if not loop.last }}
{% endfor %}

{%- for stream in streams() %}
select
    '{{ stream }}' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    {{ place }}
from judged_{{ stream }}
where broken_field is not null{{ " and event_id <> ''" if target.type == 'risingwave' }}
  {%- if target.type == 'risingwave' %}

union all

select
    '{{ stream }}' as stream,
    event_id,
    'from the future' as reason,
    {{ place }}
from judged_{{ stream }}
where
    broken_field is null
    and {{ instant('occurred_at') }} > received_at + interval '{{ var('allowed_clock_skew_seconds') }} seconds'

union all

-- {{ 'src_' ~ stream }} has no row: not JSON, or JSON without an event_id
select
    '{{ stream }}' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    {{ place }}
from {{ ref('raw_' ~ stream) }}
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
  {%- endif %}
  {%- if not loop.last %}

union all
  {% endif %}
{%- endfor %}
