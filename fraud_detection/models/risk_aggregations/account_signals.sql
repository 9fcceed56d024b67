{{ config(materialized='view' if target.type == 'risingwave' else 'table') }}

with signals as (
    select * from {{ ref('mv_fraud_signals') }}
)

-- an account-level signal counts for its account
select
    account_id,
    signal_id,
    customer_id,
    pattern,
    weight,
    event_id,
    amount,
    occurred_at
from signals
where account_id is not null

union all

-- a customer-level signal counts for every account that the customer held by then
select
    links.account_id,
    signals.signal_id,
    signals.customer_id,
    signals.pattern,
    signals.weight,
    signals.event_id,
    signals.amount,
    signals.occurred_at
from signals
inner join {{ ref('account_links') }} as links
    on links.customer_id = signals.customer_id
    and links.held_since <= signals.occurred_at
where signals.account_id is null
