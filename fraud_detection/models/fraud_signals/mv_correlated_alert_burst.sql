{{ distinct_burst('compound') }}
