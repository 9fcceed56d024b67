{{ kafka_table('card_events') }}
