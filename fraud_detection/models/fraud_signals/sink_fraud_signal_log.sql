{{ config(materialized='sink', enabled=is_live(), zero_downtime={'enabled': false}) }}

-- ignore_delete: rows that leave a view as time passes stay in the log; a row whose evidence grows
-- because of a late event replaces the one with its signal_id.
create sink if not exists {{ this }} into {{ ref('fraud_signal_log') }} as
{{- union_of_signals() }}
with (ignore_delete = 'true')
