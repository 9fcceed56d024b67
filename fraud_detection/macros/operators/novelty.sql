{#-
  novelty: `measure` reaches the threshold and `value` is not known for the key. It is known when the
  profile in force registers it (in `registered_in`, if the pattern has one), or when the key first showed it longer than the window ago; every
  event with a value makes it known, whether or not the event meets `where`.
-#}
{% macro novelty(id) -%}
{%- set pattern = pattern_block(id, 'novelty') -%}
{%- set key = pattern.key | join(', ') -%}
with sightings as (
    select
        {{ key }},
        {{ pattern.value }},
        min(occurred_at) as first_seen_at
    from {{ ref('stg_' ~ pattern.source) }}
    where
        {{ (key_is_complete(pattern) + [pattern.value ~ ' is not null']) | join('\n        and ') }}
    group by {{ key }}, {{ pattern.value }}
),

{% if pattern.established -%}
keys as (
    select
        {{ key }},
        min(first_seen_at) as known_since
    from sightings
    group by {{ key }}
),

{% endif -%}
{% if pattern.registered_in -%}
-- of two profiles at the same time, the one with the later event_id is in force
ranked_profiles as (
    select
        {{ key }},
        occurred_at as in_force_since,
        {{ pattern.registered_in }},
        row_number() over (partition by {{ key }}, occurred_at order by event_id desc) as place
    from {{ ref('stg_kyc_profiles') }}
),

profiles as (
    select {{ key }}, in_force_since, {{ pattern.registered_in }}
    from ranked_profiles
    where place = 1
),

{% endif -%}
watched as (
    select
    {%- for name in needed_columns(pattern, [pattern.value, pattern.measure]) %}
        {{ name }},
    {%- endfor %}
        {{ exposure_entry(pattern) }} as exposure_entry
    from {{ ref('stg_' ~ pattern.source) }}
    where
        {{ (key_is_complete(pattern) + conditions(pattern)) | join('\n        and ') }}
        and {{ pattern.value }} is not null
        and {{ pattern.measure }} >= {{ pattern.threshold }}
        {{- and_answer_slice() }}
),

judged as (
    select
        watched.*,
        sightings.first_seen_at
        {%- if pattern.established %},
        keys.known_since
        {%- endif %}
        {%- if pattern.registered_in %},
        profiles.{{ pattern.registered_in }}
        {%- endif %}
    from watched
    inner join sightings
        on {{ equal_keys(pattern.key + [pattern.value], 'watched', 'sightings') }}
    {%- if pattern.established %}
    inner join keys on {{ equal_keys(pattern.key, 'watched', 'keys') }}
    {%- endif %}
    {%- if pattern.registered_in %}
    asof left join profiles
        on {{ equal_keys(pattern.key, 'watched', 'profiles') }}
        and profiles.in_force_since <= watched.occurred_at
    {%- endif %}
),

fired as (
    select
        *,
        {{ pattern.measure }} as observed,
        {{ exposed_list(['exposure_entry']) }} as exposed
    from judged
    where
        {% if pattern.registered_in -%}
        not coalesce({{ pattern.value }} = any({{ pattern.registered_in }}), false)
        and {% endif -%}
        first_seen_at >= occurred_at - interval '{{ pattern.window_seconds }} seconds'
        {%- if pattern.established %}
        and known_since < occurred_at - interval '{{ pattern.window_seconds }} seconds'
        {%- endif %}
)

{{ signal_rows(
    pattern,
    facts={'value': pattern.value, 'first_seen_at': 'first_seen_at'},
    words={'value': pattern.value},
) }}
{%- endmacro %}


{% macro equal_keys(names, left, right) -%}
  {%- for name in names -%}
    {{ left }}.{{ name }} = {{ right }}.{{ name }}{{ ' and ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}
