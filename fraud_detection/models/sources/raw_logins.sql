{{ config(materialized='source') }}

{{ kafka_bytes('logins') }}
