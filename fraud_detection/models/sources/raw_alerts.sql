{{ config(materialized='source') }}

{{ kafka_bytes('alerts') }}
