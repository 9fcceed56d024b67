{{ outlier('unusual_amount') }}
