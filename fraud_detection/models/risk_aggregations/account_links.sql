{{ config(materialized='materialized_view' if target.type == 'risingwave' else 'table') }}

with links as (
    select
        customer_id,
        account_id,
        occurred_at
    from {{ ref('stg_transactions') }}

    union all

    -- in a subquery, as the planner of RisingWave 2.4 fails on unnest in an arm of a union
    select
        customer_id,
        account_id,
        occurred_at
    from (
        select
            customer_id,
            unnest(account_ids) as account_id,
            occurred_at
        from {{ ref('stg_kyc_profiles') }}
    ) as listed
)

select
    customer_id,
    account_id,
    min(occurred_at) as held_since
from links
group by customer_id, account_id
