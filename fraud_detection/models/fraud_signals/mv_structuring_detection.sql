{{ burst('structuring') }}
