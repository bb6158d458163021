"""Antifraud: rules that judge a transfer before it is made, and the review of what they are not sure about."""
