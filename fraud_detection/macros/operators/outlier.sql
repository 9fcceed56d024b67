{#-
  outlier: the logarithm of `measure` is at least `threshold` standard deviations above the mean of the last
  `history` events of the key, shrunk towards `prior`. Logarithms are whole steps of a hundredth, so that
  their sums are exact whatever the order of addition.
-#}
{% macro outlier(id) -%}
{%- set pattern = pattern_block(id, 'outlier') -%}
{%- set prior = pattern.prior -%}
with watched as (
    select
    {%- for name in needed_columns(pattern, [pattern.measure]) %}
        {{ name }},
    {%- endfor %}
        {{ exposure_entry(pattern) }} as exposure_entry,
        {{ log_steps(pattern.measure) }} as steps,
        {{ log_steps(prior.usual) }} as centre
    from {{ ref('stg_' ~ pattern.source) }}
    where
        {{ (key_is_complete(pattern) + conditions(pattern)) | join('\n        and ') }}
        and {{ pattern.measure }} > 0
        {{- and_read_slice(pattern.window_seconds) }}
),

remembered as (
    select
        *,
        count(*) over {{ history_of_key(pattern) }} as known,
        coalesce(sum(steps) over {{ history_of_key(pattern) }}, 0) as steps_sum,
        coalesce(sum(steps * steps) over {{ history_of_key(pattern) }}, 0) as squares_sum
    from watched
),

averaged as (
    select
        *,
        cast(steps_sum + {{ prior.events }} * centre as double precision) / (known + {{ prior.events }}) as mean,
        cast(
            squares_sum + {{ prior.events }} * (floor(100 * {{ prior.spread }}) * floor(100 * {{ prior.spread }}) + centre * centre)
            as double precision
        ) / (known + {{ prior.events }}) as mean_square
    from remembered
    where {{ pattern.measure }} >= {{ pattern.least }} and known >= {{ prior.events }}
),

spread as (
    select
        *,
        sqrt(mean_square - mean * mean) as deviation
    from averaged
),

fired as (
    select
        *,
        floor((steps - mean) / deviation * 10) / 10 as observed,
        greatest(1, cast(floor(exp(mean / 100)) as bigint)) as usual,
        cast(floor(exp((mean + 1.645 * deviation) / 100)) as bigint) as most,
        cast(floor(
            cast({{ pattern.measure }} as double precision) / greatest(1, cast(floor(exp(mean / 100)) as bigint))
        ) as bigint) as times,
        {{ exposed_list(['exposure_entry']) }} as exposed
    from spread
    where
        floor((steps - mean) / deviation * 10) / 10 >= {{ pattern.threshold }}
        {{- and_answer_slice() }}
)

{{ signal_rows(
    pattern,
    facts={'usual': 'usual', 'most': 'most', 'times': 'times'},
    words={'usual': 'cast(usual as varchar)', 'most': 'cast(most as varchar)', 'times': 'cast(times as varchar)'},
) }}
{%- endmacro %}


{#- The natural logarithm in whole steps of a hundredth. -#}
{% macro log_steps(expression) -%}
  cast(floor(100 * ln(cast({{ expression }} as double precision))) as bigint)
{%- endmacro %}


{% macro history_of_key(pattern) -%}
  (
            partition by {{ pattern.key | join(', ') }}
            order by occurred_at, event_id
            rows between {{ pattern.history }} preceding and 1 preceding
        )
{%- endmacro %}
