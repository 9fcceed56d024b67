with payments as (
    {{ reported_payments(['merchant_id', 'merchant_category', 'merchant_country', 'base_amount', 'status', 'occurred_at']) }}
)

select
    merchant_id,
    max(merchant_category) as merchant_category,
    max(merchant_country) as merchant_country,
    {{ payment_figures() }},
    max(occurred_at) as last_seen_at
from payments
where merchant_id is not null
group by merchant_id
