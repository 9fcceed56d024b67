{{ config(materialized='source') }}

{{ kafka_bytes('transactions') }}
