{{ kafka_table('logins') }}
