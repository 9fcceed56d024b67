{#- burst: at least `threshold` events of a key within the window, both of its ends included. -#}
{% macro burst(id) -%}
{%- set pattern = pattern_block(id, 'burst') -%}
with watched as (
    {{ watched_events(pattern, pattern.window_seconds) }}
),

counted as (
    select
        *,
        count(*) over (
            partition by {{ pattern.key | join(', ') }}
            order by occurred_at
            range between interval '{{ pattern.window_seconds }} seconds' preceding and current row
        ) as observed
    from watched
),

{{ exposed_in_window(pattern, 'counted') }},

fired as (
    select *
    from exposing
    where
        observed >= {{ pattern.threshold }}
        {{- and_answer_slice() }}
)

{{ signal_rows(pattern) }}
{%- endmacro %}
