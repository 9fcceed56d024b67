{{ kafka_table('alerts') }}
