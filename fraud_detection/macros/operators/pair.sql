{#-
  pair: an event further than `threshold` from the previous one of its key, less than the window
  after it. The previous one is the last before it by (occurred_at, event_id), so ties have one order.
-#}
{% macro pair(id) -%}
{%- set pattern = pattern_block(id, 'pair') -%}
{%- if pattern.measure != 'distance_km' -%}
  {{ exceptions.raise_compiler_error("pair measures distance_km, not '" ~ pattern.measure ~ "'") }}
{%- endif -%}
with watched as (
    {{ watched_events(pattern, pattern.window_seconds, ['city', 'latitude', 'longitude']) }}
),

steps as (
    select
        *,
        lag(event_id) over {{ previous_of_key(pattern) }} as previous_event_id,
        lag(exposure_entry) over {{ previous_of_key(pattern) }} as previous_exposure_entry,
        lag(occurred_at) over {{ previous_of_key(pattern) }} as previous_at,
        lag(city) over {{ previous_of_key(pattern) }} as previous_city,
        lag(latitude) over {{ previous_of_key(pattern) }} as previous_latitude,
        lag(longitude) over {{ previous_of_key(pattern) }} as previous_longitude
    from watched
),

measured as (
    select
        *,
        {{ haversine_km('previous_latitude', 'previous_longitude', 'latitude', 'longitude') }} as distance_km
    from steps
    where previous_at > occurred_at - interval '{{ pattern.window_seconds }} seconds'
),

fired as (
    select
        *,
        {{ to_one_decimal('distance_km') }} as observed,
        {{ exposed_list(["coalesce(previous_exposure_entry, '')", 'exposure_entry']) }} as exposed,
        coalesce(previous_city, 'an unnamed place') as from_city,
        coalesce(city, 'an unnamed place') as to_city,
        cast(floor(extract(epoch from (occurred_at - previous_at)) / 60) as bigint) as minutes
    from measured
    where
        distance_km > {{ pattern.threshold }}
        {{- and_answer_slice() }}
)

{{ signal_rows(
    pattern,
    facts={
        'from_city': 'from_city',
        'to_city': 'to_city',
        'minutes': 'minutes',
        'previous_event_id': 'previous_event_id',
    },
    words={'from_city': 'from_city', 'to_city': 'to_city', 'minutes': 'cast(minutes as varchar)'},
) }}
{%- endmacro %}


{% macro previous_of_key(pattern) -%}
  (partition by {{ pattern.key | join(', ') }} order by occurred_at, event_id)
{%- endmacro %}


{#- Great-circle distance in kilometres by the haversine formula, on a sphere of 6,371 km. -#}
{% macro haversine_km(latitude_1, longitude_1, latitude_2, longitude_2) -%}
2 * 6371 * asin(sqrt(least(
            cast(1 as double precision),
            power(sin(radians({{ latitude_2 }} - {{ latitude_1 }}) / 2), 2)
            + cos(radians({{ latitude_1 }})) * cos(radians({{ latitude_2 }}))
            * power(sin(radians({{ longitude_2 }} - {{ longitude_1 }}) / 2), 2)
        )))
{%- endmacro %}
