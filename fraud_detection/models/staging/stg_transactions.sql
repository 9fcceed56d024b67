with typed as (
    {{ staged('transactions') | indent }}
)

select
    *,
    {{ base_amount() }} as base_amount
from typed
