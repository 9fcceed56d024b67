"""The synthetic bank: the event contract, the generators and the Kafka producers."""
