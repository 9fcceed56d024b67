{%- set patterns = var('patterns') %}
{%- set on_payments = [] %}
{%- for id, block in patterns.items() if block.source == 'transactions' %}{% do on_payments.append(id) %}{% endfor -%}
with reported_transactions as (
    select occurred_at, base_amount
    from {{ ref('stg_transactions') }}
    {{- where_reported() }}
),

reported_signals as (
    select occurred_at, pattern, event_id
    from {{ ref('mv_fraud_signals') }}
    {{- where_reported() }}
),

money as (
    select
        window_start,
        count(*) as transactions,
        coalesce(sum(base_amount), 0) as amount,
        count(*) - count(base_amount) as without_rate
    from {{ tumbling('reported_transactions', 'occurred_at', '1 minute') }}
    group by window_start
),

fired as (
    select
        window_start,
        count(*) as signals,
        -- a signal has the time of the transaction at which it fired
        count(distinct case when pattern in ({{ quoted(on_payments) }}) then event_id end) as flagged
    {%- for id in patterns %},
        count(*) filter (where pattern = '{{ id }}') as signals_{{ id }}
    {%- endfor %}
    from {{ tumbling('reported_signals', 'occurred_at', '1 minute') }}
    group by window_start
)

select
    coalesce(money.window_start, fired.window_start) as window_start,
    coalesce(money.window_start, fired.window_start) + interval '1 minute' as window_end,
    coalesce(money.transactions, 0) as transactions,
    coalesce(money.amount, 0) as amount,
    coalesce(money.without_rate, 0) as without_rate,
    coalesce(fired.flagged, 0) as flagged,
    case
        when money.transactions > 0 then round(100.0 * coalesce(fired.flagged, 0) / money.transactions, 2)
        else 0
    end as fraud_rate_pct,
    coalesce(fired.signals, 0) as signals
{%- for id in patterns %},
    coalesce(fired.signals_{{ id }}, 0) as signals_{{ id }}
{%- endfor %}
from money
full join fired on money.window_start = fired.window_start
