{{ config(indexes=[{'columns': ['customer_id']}] if target.type == 'risingwave' else []) }}

-- of two profiles at the same time, the one with the later event_id is in force
with ranked_profiles as (
    select
        customer_id,
        risk_tier,
        row_number() over (partition by customer_id order by occurred_at desc, event_id desc) as place
    from {{ ref('stg_kyc_profiles') }}
),

profiles as (
    select customer_id, risk_tier
    from ranked_profiles
    where place = 1
)

select
    cases.case_id,
    cases.customer_id,
    cases.account_ids,
    cases.level,
    cases.score,
    cases.patterns,
    cases.signal_count,
    cases.exposure,
    cases.already_gone,
    cases.first_signal_at,
    cases.last_signal_at,
    cases.opened_at,
    cases.due_at,
    profiles.risk_tier as kyc_risk_tier,
    cases.recommended_action,
    cases.actions,
    cases.withdrawn,
    cases.previous_case_id,
    reviews.owner,
    coalesce(reviews.status, 'NEW') as status
from {{ ref('fraud_cases') }} as cases
left join profiles on cases.customer_id = profiles.customer_id
left join {{ reviews() }} as reviews on cases.case_id = reviews.case_id
where coalesce(reviews.status, 'NEW') <> 'CLOSED'
