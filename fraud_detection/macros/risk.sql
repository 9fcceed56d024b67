{#- The name of the level of a score above 0. -#}
{% macro risk_level(score) -%}
  {%- set levels = var('risk').levels -%}
case
        when {{ score }} >= {{ levels.critical }} then 'critical'
        when {{ score }} >= {{ levels.high }} then 'high'
        when {{ score }} >= {{ levels.medium }} then 'medium'
        else 'low'
    end
{%- endmacro %}


{#- The payment counts of the reporting views, amounts in the base currency; `flagged` means that a pattern fired at one. -#}
{% macro payment_figures() -%}
    count(*) as transactions,
    coalesce(sum(base_amount), 0) as amount,
    count(*) filter (where flagged) as flagged,
    coalesce(sum(base_amount) filter (where flagged), 0) as flagged_amount,
    round(100.0 * count(*) filter (where flagged) / count(*), 2) as fraud_rate_pct,
    round(100.0 * count(*) filter (where status = 'DECLINED') / count(*), 2) as declined_pct
{%- endmacro %}


{#- The transactions of the reporting views, each with whether a pattern fired at it. -#}
{% macro reported_payments(columns) -%}
    select
  {%- for name in columns %}
        payments.{{ name }},
  {%- endfor %}
        flags.event_id is not null as flagged
    from (
        select * from {{ ref('stg_transactions') }}
        {{- where_reported(8) }}
    ) as payments
    left join (
        select distinct event_id from {{ ref('mv_fraud_signals') }}
        {{- where_reported(8) }}
    ) as flags
        on payments.event_id = flags.event_id
{%- endmacro %}
