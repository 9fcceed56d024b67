{#-
  The money behind a signal, as `detector/signals/exposure.py` has it: which transactions are suspicious
  because it fired.
-#}

{#- A suspicious transaction as text, `at_risk 120.00 <event_id>` or `gone …`; empty if no money is exposed. -#}
{% macro exposure_entry(pattern) -%}
  {%- if pattern.source != 'transactions' -%}
    ''
  {%- else -%}
    coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '')
  {%- endif -%}
{%- endmacro %}


{#-
  CTEs from `counted` (the watched events with `observed`) to `exposing`, with `exposed`: the entries in the
  window of a firing event that no earlier firing of its key has exposed. Events after the same
  `fired_before_at` are between the same two firings.
-#}
{% macro exposed_in_window(pattern, counted) -%}
{%- if pattern.source != 'transactions' -%}
exposing as (
    select
        *,
        {{ no_entries() }} as exposed
    from {{ counted }}
)
{%- else -%}
followed as (
    select
        *,
        max(case when observed >= {{ pattern.threshold }} then occurred_at end) over (
            partition by {{ pattern.key | join(', ') }}
            order by occurred_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as fired_before_at
    from {{ counted }}
),

listed as (
    select
        *,
        array_agg(exposure_entry) over (
            partition by {{ pattern.key | join(', ') }}, fired_before_at
            order by occurred_at
            range between interval '{{ pattern.window_seconds }} seconds' preceding and current row
        ) as entries
    from followed
),

exposing as (
    select
        *,
        {{ sorted_entries('entries') }} as exposed
    from listed
)
{%- endif -%}
{%- endmacro %}


{#- The same for an operator that exposes the event itself, or some of its CTE's columns. -#}
{% macro exposed_list(entries) -%}
  {{ sorted_entries('array[' ~ entries | join(', ') ~ ']') }}
{%- endmacro %}

{% macro no_entries() -%}
  cast(array[] as varchar[])
{%- endmacro %}

{#- An array of entries without empty ones, in order. -#}
{% macro sorted_entries(entries) -%}
  {{ adapter.dispatch('sorted_entries', 'fraud_detection')(entries) }}
{%- endmacro %}
{% macro default__sorted_entries(entries) -%} array_sort(array_remove({{ entries }}, '')) {%- endmacro %}
{% macro duckdb__sorted_entries(entries) -%} array_sort(list_filter({{ entries }}, lambda entry: entry <> '')) {%- endmacro %}
