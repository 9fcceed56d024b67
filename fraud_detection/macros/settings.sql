{#-
  How the models run, as against what they detect (that is `vars` in dbt_project.yml).
  Override any of these with `--vars`, for example `dbt run --vars '{replay: true}'`.
-#}
{% macro setting(name) -%}
  {%- set defaults = {
      'replay': false,
      'live_horizon_seconds': 21600,
      'report_seconds': 86400,
      'keep_seconds': 604800,
      'kafka_brokers': env_var('RISINGWAVE_KAFKA_BROKERS', 'redpanda:9092'),
      'signals_topic': 'fraud.signals',
  } -%}
  {#- replay: evaluate all history instead of the recent slice; always on DuckDB. -#}
  {#- live_horizon_seconds: how old an event may be and still fire; longer than an outage to catch up. -#}
  {#- keep_seconds: how long the raw records are kept, like the topics; profiles stay. -#}
  {#- report_seconds: how far back the reporting views reach. -#}
  {%- if name not in defaults -%}
    {{ exceptions.raise_compiler_error("setting '" ~ name ~ "' is not known; known are " ~ defaults | join(', ')) }}
  {%- endif -%}
  {{ return(var(name, defaults[name])) }}
{%- endmacro %}


{#- Whether the models follow the clock (`now()`) instead of covering all history. -#}
{% macro is_live() -%}
  {{ return(target.type == 'risingwave' and not setting('replay')) }}
{%- endmacro %}


{#-
  ` and occurred_at > now() - …` in live mode, nothing otherwise.

  RisingWave keeps the rows of an over-window forever unless they are removed before it. The slice
  that an operator reads reaches one window and a minute further back than the slice it answers
  for, so that no answer changes merely because old rows leave.
-#}
{% macro and_read_slice(window_seconds) -%}
  {%- if is_live() %}
        and occurred_at > now() - interval '{{ window_seconds + setting('live_horizon_seconds') + 60 }} seconds'
  {%- endif -%}
{%- endmacro %}

{% macro and_answer_slice() -%}
  {%- if is_live() %}
        and occurred_at > now() - interval '{{ setting('live_horizon_seconds') }} seconds'
  {%- endif -%}
{%- endmacro %}

{#- The rows that the reporting views cover: the last day in live mode, all of them otherwise. -#}
{% macro where_reported(indent=4) -%}
  {%- if is_live() %}
{{ ' ' * indent }}where occurred_at > now() - interval '{{ setting('report_seconds') }} seconds'
  {%- endif -%}
{%- endmacro %}
