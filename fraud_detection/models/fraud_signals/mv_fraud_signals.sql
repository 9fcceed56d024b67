{{ config(indexes=[{'columns': ['customer_id']}, {'columns': ['account_id']}, {'columns': ['event_id']}] if target.type == 'risingwave' else []) }}

{%- if is_live() %}
-- signals remain after their events have left the slice that the seven views read
select {{ signal_columns() | join(', ') }} from {{ ref('fraud_signal_log') }}
{%- else %}
{{ union_of_signals() }}
{%- endif %}
