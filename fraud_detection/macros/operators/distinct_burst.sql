{#- distinct_burst: at least `threshold` different values of a key within the window. -#}
{% macro distinct_burst(id) -%}
{%- set pattern = pattern_block(id, 'distinct_burst') -%}
with watched as (
    {{ watched_events(pattern, pattern.window_seconds, [pattern.value]) }}
        and {{ pattern.value }} is not null
),

gathered as (
    select
        *,
        array_agg({{ pattern.value }}) over (
            partition by {{ pattern.key | join(', ') }}
            order by occurred_at
            range between interval '{{ pattern.window_seconds }} seconds' preceding and current row
        ) as values_in_window
    from watched
),

compared as (
    select
        *,
        array_sort(array_distinct(values_in_window)) as different_values,
        array_length(array_distinct(values_in_window)) as observed
    from gathered
),

{{ exposed_in_window(pattern, 'compared') }},

fired as (
    select *
    from exposing
    where
        observed >= {{ pattern.threshold }}
        {{- and_answer_slice() }}
)

{{ signal_rows(pattern, facts={'values': 'different_values'}) }}
{%- endmacro %}
