{{ kafka_table('kyc_profiles') }}
