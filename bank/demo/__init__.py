"""The demo bank: invented people, and a past that was made as a real bank's is, through its services."""
