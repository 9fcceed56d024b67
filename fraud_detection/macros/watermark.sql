{#-
  The watermark of a log without a clock, as common table expressions that end with `watermark`
  (detector/pipeline/watermark.py): the newest time, at most half the lateness past the newest one that
  another customer's event confirms within an hour; if there is none, the oldest of the customers' newest.
  Profiles are reference data. RisingWave takes no window without a partition, so there, where only a replay
  has no clock, it is the newest time.
-#}
{% macro watermark() -%}
moments as (
  {%- for stream in streams() if stream != 'kyc_profiles' %}
    select customer_id, occurred_at from {{ ref('stg_' ~ stream) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
  {%- endfor %}
),

{% if target.type == 'risingwave' -%}
watermark as (
    select max(occurred_at) as occurred_at from moments
)
{%- else -%}
judged as (
    select
        occurred_at,
        min(customer_id) over (
            order by occurred_at range between current row and interval '1 hour' following
        ) <> max(customer_id) over (
            order by occurred_at range between current row and interval '1 hour' following
        ) as is_confirmed
    from moments
),

newest as (
    select max(occurred_at) as occurred_at from moments group by customer_id
),

watermark as (
    select
        least(
            max(occurred_at),
            coalesce(
                max(occurred_at) filter (where is_confirmed)
                + interval '{{ [var('allowed_lateness_seconds') / 2, 3600] | min }} seconds',
                (select min(occurred_at) from newest)
            )
        ) as occurred_at
    from judged
)
{%- endif %}
{%- endmacro %}
