{#- Where reviews are: the table that the console writes on RisingWave, a loaded table on DuckDB. -#}
{% macro reviews() -%}
  {{ ref('case_reviews') if target.type == 'risingwave' else source('events', 'case_reviews') }}
{%- endmacro %}


{#- The id of a customer's case after so many closed ones, as `detector/cases/case.py` has it. -#}
{% macro case_id(closed_before) -%}
  'case_' || left(md5(customer_id || '|' || cast(cast({{ closed_before }} as bigint) as varchar)), 12)
{%- endmacro %}


{#- The amount of an entry of `exposed`. -#}
{% macro entry_amount(entry) -%}
  cast(split_part({{ entry }}, ' ', 2) as {{ money_type() }})
{%- endmacro %}
