{#-
  The few things that RisingWave and DuckDB spell differently. Everything else is common SQL.
-#}

{#- A cast that yields null for invalid text. RisingWave streams do that anyway. -#}
{% macro cast_or_null(expression, type) -%}
  {{ adapter.dispatch('cast_or_null', 'fraud_detection')(expression, type) }}
{%- endmacro %}
{% macro default__cast_or_null(expression, type) -%}
  cast({{ expression }} as {{ type }})
{%- endmacro %}
{% macro duckdb__cast_or_null(expression, type) -%}
  try_cast({{ expression }} as {{ type }})
{%- endmacro %}


{#-
  A field of a raw record: as text, its type in JSON, and its elements if it is a list. RisingWave has the whole
  record in `payload`, and lists as columns too; DuckDB has each field as JSON.
-#}
{% macro json_text(name) -%}
  {{ adapter.dispatch('json_text', 'fraud_detection')(name) }}
{%- endmacro %}
{% macro default__json_text(name) -%} payload ->> '{{ name }}' {%- endmacro %}
{% macro duckdb__json_text(name) -%} {{ name }} ->> '$' {%- endmacro %}

{% macro json_type(name) -%}
  {{ adapter.dispatch('json_type', 'fraud_detection')(name) }}
{%- endmacro %}
{% macro default__json_type(name) -%} jsonb_typeof(payload -> '{{ name }}') {%- endmacro %}
{% macro duckdb__json_type(name) -%} json_type({{ name }}) {%- endmacro %}

{% macro json_texts(name) -%}
  {{ adapter.dispatch('json_texts', 'fraud_detection')(name) }}
{%- endmacro %}
{% macro default__json_texts(name) -%} {{ name }} {%- endmacro %}
{% macro duckdb__json_texts(name) -%} try_cast({{ name }} as varchar[]) {%- endmacro %}

{#- The names of a JSON type: string, number, boolean or array. -#}
{% macro json_types(type) -%}
  {{ return(adapter.dispatch('json_types', 'fraud_detection')(type)) }}
{%- endmacro %}
{% macro default__json_types(type) -%} {{ return([type]) }} {%- endmacro %}
{% macro duckdb__json_types(type) -%}
  {{ return({
      'string': ['VARCHAR'], 'boolean': ['BOOLEAN'], 'array': ['ARRAY'],
      'number': ['BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE'],
  }[type]) }}
{%- endmacro %}


{#- The value of the latest row of a group. RisingWave 2.4 has no arg_max. -#}
{% macro latest(value, at) -%}
  {{ adapter.dispatch('latest', 'fraud_detection')(value, at) }}
{%- endmacro %}
{% macro default__latest(value, at) -%} first_value({{ value }} order by {{ at }} desc) {%- endmacro %}
{% macro duckdb__latest(value, at) -%} arg_max({{ value }}, {{ at }}) {%- endmacro %}


{#- The type of exact amounts. RisingWave has no NUMERIC(p, s). -#}
{% macro money_type() -%}
  {{ adapter.dispatch('money_type', 'fraud_detection')() }}
{%- endmacro %}
{% macro default__money_type() -%} numeric {%- endmacro %}
{% macro duckdb__money_type() -%} decimal(18, 2) {%- endmacro %}


{#- A weight as an exact number, so that 0.45 + 0.35 reaches 0.80. -#}
{% macro exact(expression) -%}
  {{ adapter.dispatch('exact', 'fraud_detection')(expression) }}
{%- endmacro %}
{% macro default__exact(expression) -%} cast({{ expression }} as numeric) {%- endmacro %}
{% macro duckdb__exact(expression) -%} cast({{ expression }} as decimal(18, 6)) {%- endmacro %}


{#- The exposure times the square of a score of at most 1, exactly. DuckDB has 38 digits for a product. -#}
{% macro expected_loss(exposure, score) -%}
  {{ adapter.dispatch('expected_loss', 'fraud_detection')(exposure, score) }}
{%- endmacro %}
{% macro default__expected_loss(exposure, score) -%} {{ exposure }} * {{ score }} * {{ score }} {%- endmacro %}
{% macro duckdb__expected_loss(exposure, score) -%}
  cast({{ exposure }} as decimal(20, 2)) * cast({{ score }} as decimal(7, 6)) * cast({{ score }} as decimal(7, 6))
{%- endmacro %}


{#- A double rounded to one decimal. RisingWave rounds only numerics to places. -#}
{% macro to_one_decimal(expression) -%}
  {{ adapter.dispatch('to_one_decimal', 'fraud_detection')(expression) }}
{%- endmacro %}
{% macro default__to_one_decimal(expression) -%}
  cast(round(cast({{ expression }} as numeric), 1) as double precision)
{%- endmacro %}
{% macro duckdb__to_one_decimal(expression) -%}
  round({{ expression }}, 1)
{%- endmacro %}


{#- A JSON object from alternating names and expressions. -#}
{% macro json_of(pairs) -%}
  {{ adapter.dispatch('json_of', 'fraud_detection')(pairs) }}
{%- endmacro %}
{% macro default__json_of(pairs) -%}
  jsonb_build_object({% for name, value in pairs.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro duckdb__json_of(pairs) -%}
  json_object({% for name, value in pairs.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{#- The value of the first row of a group in the given order. -#}
{% macro first_in_order(expression, order_by) -%}
  {{ adapter.dispatch('first_in_order', 'fraud_detection')(expression, order_by) }}
{%- endmacro %}
{% macro default__first_in_order(expression, order_by) -%}
  first_value({{ expression }} order by {{ order_by }})
{%- endmacro %}
{% macro duckdb__first_in_order(expression, order_by) -%}
  first({{ expression }} order by {{ order_by }})
{%- endmacro %}


{#- A timestamp as whole microseconds. -#}
{% macro epoch_microseconds(expression) -%}
  {{ adapter.dispatch('epoch_microseconds', 'fraud_detection')(expression) }}
{%- endmacro %}
{% macro default__epoch_microseconds(expression) -%}
  cast(extract(epoch from {{ expression }}) * 1000000 as bigint)
{%- endmacro %}
{% macro duckdb__epoch_microseconds(expression) -%}
  epoch_us({{ expression }})
{%- endmacro %}


{#- The rows of a named relation with the window they fall in (`tumbling`), or each (`hopping`). -#}
{% macro tumbling(relation, time_column, size) -%}
  {{ adapter.dispatch('tumbling', 'fraud_detection')(relation, time_column, size) }}
{%- endmacro %}
{% macro default__tumbling(relation, time_column, size) -%}
  tumble({{ relation }}, {{ time_column }}, interval '{{ size }}')
{%- endmacro %}
{% macro duckdb__tumbling(relation, time_column, size) -%}
  (
        select *, window_start + interval '{{ size }}' as window_end
        from (
            select *, time_bucket(interval '{{ size }}', {{ time_column }}) as window_start
            from {{ relation }}
        )
    )
{%- endmacro %}

{% macro hopping(relation, time_column, slide, size) -%}
  {{ adapter.dispatch('hopping', 'fraud_detection')(relation, time_column, slide, size) }}
{%- endmacro %}
{% macro default__hopping(relation, time_column, slide, size) -%}
  hop({{ relation }}, {{ time_column }}, interval '{{ slide }} seconds', interval '{{ size }} seconds')
{%- endmacro %}
{% macro duckdb__hopping(relation, time_column, slide, size) -%}
  (
        select *, window_start + interval '{{ size }} seconds' as window_end
        from (
            select
                *,
                unnest([
                    time_bucket(interval '{{ slide }} seconds', {{ time_column }})
                        - n * interval '{{ slide }} seconds'
                    for n in range({{ size // slide }})
                ]) as window_start
            from {{ relation }}
        )
    )
{%- endmacro %}
