{{ config(materialized='source') }}

{{ kafka_bytes('kyc_profiles') }}
