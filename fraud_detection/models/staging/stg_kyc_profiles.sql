{{ staged('kyc_profiles') }}
