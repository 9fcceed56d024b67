with payments as (
    {{ reported_payments(['channel', 'base_amount', 'status', 'occurred_at']) }}
)

select
    window_start,
    window_start + interval '5 minutes' as window_end,
    channel,
    {{ payment_figures() }}
from {{ hopping('payments', 'occurred_at', 60, 300) }}
group by window_start, channel
