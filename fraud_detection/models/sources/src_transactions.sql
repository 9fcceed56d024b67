{{ kafka_table('transactions') }}
