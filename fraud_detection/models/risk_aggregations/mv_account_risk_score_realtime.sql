{{ config(indexes=[{'columns': ['account_id']}] if target.type == 'risingwave' else []) }}

{%- set window = "interval '" ~ var('risk').window_seconds ~ " seconds'" %}
with
{%- if not is_live() %}
-- without a clock, the watermark is now
{{ watermark() }},
{% endif %}
recent as (
    select * from {{ ref('account_signals') }}
    {%- if is_live() %}
    where occurred_at > now() - {{ window }}
    {%- else %}
    where
        occurred_at > (select occurred_at - {{ window }} from watermark)
        and occurred_at <= (select occurred_at from watermark)
    {%- endif %}
),

patterns as (
    select
        account_id,
        pattern,
        max({{ exact('weight') }}) as weight,
        {{ latest('customer_id', 'occurred_at') }} as customer_id,
        count(*) as signal_count,
        max(occurred_at) as last_signal_at
    from recent
    group by account_id, pattern
),

scores as (
    select
        account_id,
        {{ latest('customer_id', 'last_signal_at') }} as customer_id,
        cast(least(1, round(sum(weight), 6)) as double precision) as risk_score,
        string_agg(pattern, ', ' order by pattern) as patterns,
        cast(sum(signal_count) as bigint) as signal_count,
        max(last_signal_at) as last_signal_at
    from patterns
    group by account_id
)

select
    account_id,
    customer_id,
    risk_score,
    {{ risk_level('risk_score') }} as risk_level,
    patterns,
    signal_count,
    last_signal_at,
    {%- if is_live() %}
    -- a stream may not select the clock: the score is as of the time of the query
    cast(null as timestamptz) as as_of
    {%- else %}
    (select occurred_at from watermark) as as_of
    {%- endif %}
from scores
