{{ config(materialized='view' if target.type == 'risingwave' else 'table') }}

{#- A pattern counts in (t - window, t]: its last signal up to t is less than the window old. -#}
{%- set window = "interval '" ~ var('risk').window_seconds ~ " seconds'" -%}
{%- set patterns = var('patterns') | sort -%}
with last_fired as (
    select
        account_id,
        occurred_at,
    {%- for id in patterns %}
        max(case when pattern = '{{ id }}' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_{{ id }}_at{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ ref('account_signals') }}
),

moments as (
    select distinct * from last_fired
),

scores as (
    select
        account_id,
        occurred_at,
        cast(least(1, round(
    {%- for id in patterns %}
            {{ '+ ' if not loop.first else '  ' }}case when last_{{ id }}_at > occurred_at - {{ window }} then {{ exact(var('patterns')[id].weight) }} else 0 end
    {%- endfor %}
        , 6)) as double precision) as risk_score,
        concat_ws(', '
    {%- for id in patterns %},
            case when last_{{ id }}_at > occurred_at - {{ window }} then '{{ id }}' end
    {%- endfor %}
        ) as patterns
    from moments
)

select
    account_id,
    occurred_at,
    risk_score,
    {{ risk_level('risk_score') }} as risk_level,
    patterns
from scores
